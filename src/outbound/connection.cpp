#include "outbound/connection.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/error.hpp>
#include <cerrno>
#include <utility>

namespace keyward::outbound {

namespace {

using asio::ip::tcp;

/// Errors as values.
constexpr asio::as_tuple_t<asio::use_awaitable_t<LoopExecutor>> quiet{use_task};

}  // namespace

Failure to_failure(const boost::system::error_code& error, Refusal otherwise) {
  const bool late = error == boost::beast::error::timeout;
  return {late ? Refusal::timed_out : otherwise, error.message()};
}

Connection::Connection(const LoopExecutor& executor, Peer peer, std::atomic<std::size_t>& open)
    : peer_(std::move(peer)), open_(open), stream_(executor) {
  open_.fetch_add(1, std::memory_order_relaxed);
}

Connection::~Connection() { open_.fetch_sub(1, std::memory_order_relaxed); }

Task<Fetched<void>> Connection::connect(text::IpAddress address, std::uint16_t port, Moment deadline) {
  stream_.expires_at(deadline);
  const tcp::endpoint endpoint{asio::ip::make_address(address.to_text()), port};
  const auto [error] = co_await stream_.async_connect(endpoint, quiet);
  if (error) co_return std::unexpected(to_failure(error, Refusal::not_connected));
  boost::system::error_code ignored;
  stream_.socket().set_option(tcp::no_delay{true}, ignored);
  co_return Fetched<void>{};
}

Task<Fetched<void>> Connection::shake_hands(Ssl session, Moment deadline) {
  stream_.expires_at(deadline);
  tls_.emplace(stream_, session.release());
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, quiet);
  if (!error) co_return Fetched<void>{};
  auto failure = to_failure(error, Refusal::tls_failed);
  failure.detail = reason_of(tls_->native_handle(), std::move(failure.detail));
  co_return std::unexpected(std::move(failure));
}

Task<Connection::Moved> Connection::write(std::string_view bytes, Moment deadline) {
  stream_.expires_at(deadline);
  std::size_t written = 0;
  while (written < bytes.size()) {
    // One buffer: of several, Asio's TLS would make a copy that nobody wipes.
    const asio::const_buffer rest{bytes.data() + written, bytes.size() - written};
    const auto [error, count] =
        tls_ ? co_await tls_->async_write_some(rest, quiet) : co_await stream_.async_write_some(rest, quiet);
    written += count;
    if (error) co_return Moved{error, written};
  }
  co_return Moved{{}, written};
}

Task<Connection::Moved> Connection::read_some(boost::asio::mutable_buffer into, Moment deadline) {
  stream_.expires_at(deadline);
  const auto [error, count] =
      tls_ ? co_await tls_->async_read_some(into, quiet) : co_await stream_.async_read_some(into, quiet);
  co_return Moved{error, count};
}

bool Connection::is_quiet() {
  char byte = 0;
  const auto seen = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace keyward::outbound
