#include "web/tls/tls_stream.hpp"

#include <new>

#include "web/tls/openssl_handles.hpp"

namespace keyward::web {

void TlsStream::Freer::operator()(ssl_st* session) const { SSL_free(session); }

TlsStream::TlsStream(const TlsContext& context, int socket)
    : context_(context), session_(SSL_new(context.get())) {
  if (session_ == nullptr || SSL_set_fd(session_.get(), socket) != 1) throw std::bad_alloc{};
  SSL_set_accept_state(session_.get());
  auto* const bio = SSL_get_rbio(session_.get());
  BIO_set_callback_ex(bio, &TlsStream::on_socket);
  BIO_set_callback_arg(bio, reinterpret_cast<char*>(this));
}

TlsStream::~TlsStream() = default;

TlsStream::Outcome TlsStream::outcome_of(int returned, std::size_t bytes) {
  if (returned == 1) return {State::done, bytes};
  switch (SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {State::wants_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {State::wants_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {State::ended, 0};
    default:
      broken_ = true;  // no call but the freeing may follow
      ERR_clear_error();
      return {State::ended, 0};
  }
}

/// Before and after every operation of the socket (BIO_set_callback_ex(3)): what it read is seen before
/// OpenSSL has it.
long TlsStream::on_socket(bio_st* bio, int operation, const char* bytes, std::size_t, int, long, int returned,
                          std::size_t* processed) {
  if (operation != (BIO_CB_READ | BIO_CB_RETURN) || returned <= 0 || processed == nullptr) return returned;
  auto& stream = *reinterpret_cast<TlsStream*>(BIO_get_callback_arg(bio));
  const bool is_tls_1_3 = SSL_version(stream.session_.get()) > TLS1_2_VERSION;
  return stream.watch_.see(as_bytes({bytes, *processed}), is_tls_1_3) ? returned : 0;
}

TlsStream::Outcome TlsStream::handshake() {
  ERR_clear_error();
  const auto outcome = outcome_of(SSL_do_handshake(session_.get()), 0);
  if (outcome.state == State::done) BIO_set_callback_ex(SSL_get_rbio(session_.get()), nullptr);
  return outcome;
}

bool TlsStream::is_resumed() const { return SSL_session_reused(session_.get()) == 1; }

TlsStream::Outcome TlsStream::read(std::span<char> into) {
  if (broken_) return {State::ended, 0};
  ERR_clear_error();
  std::size_t bytes = 0;
  const int returned = SSL_read_ex(session_.get(), into.data(), into.size(), &bytes);
  return outcome_of(returned, bytes);
}

TlsStream::Outcome TlsStream::write(std::string_view bytes) {
  if (broken_) return {State::ended, 0};
  if (bytes.empty()) return {State::done, 0};
  ERR_clear_error();
  std::size_t written = 0;
  const int returned = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
  return outcome_of(returned, written);
}

bool TlsStream::has_more() const { return !broken_ && SSL_pending(session_.get()) > 0; }

void TlsStream::close() {
  if (broken_ || SSL_in_init(session_.get()) != 0) return;
  ERR_clear_error();
  (void)SSL_shutdown(session_.get());
  ERR_clear_error();
}

}  // namespace keyward::web
