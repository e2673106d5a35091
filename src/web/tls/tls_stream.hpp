// TlsStream: one connection's side of TLS, over a socket that does not block. It never waits: whoever uses it
// waits for the socket and comes again (engine/connection.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "web/tls/handshake_watch.hpp"
#include "web/tls/tls_certificate.hpp"

struct bio_st;
struct ssl_st;

namespace keyward::web {

class TlsStream {
 public:
  enum class State : std::uint8_t {
    done,         // `bytes` were moved (none for the handshake)
    wants_read,   // come again when the socket can be read
    wants_write,  // … or written; a write with the same bytes in front
    ended,        // the peer has closed, properly or not
  };
  struct Outcome {
    State state = State::ended;
    std::size_t bytes = 0;
  };

  /// Throws std::bad_alloc when OpenSSL has no memory. The socket stays its owner's.
  TlsStream(const TlsContext& context, int socket);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  Outcome handshake();
  /// After the handshake: it went on with an earlier session's keys.
  [[nodiscard]] bool is_resumed() const;
  Outcome read(std::span<char> into);
  Outcome write(std::string_view bytes);
  /// Bytes are here that the socket no longer knows of.
  [[nodiscard]] bool has_more() const;
  /// Tells the peer that no more will come, as far as the socket takes it at once.
  void close();

 private:
  Outcome outcome_of(int returned, std::size_t bytes);
  static long on_socket(bio_st* bio, int operation, const char* bytes, std::size_t size, int, long,
                        int returned, std::size_t* processed);
  struct Freer {
    void operator()(ssl_st* session) const;
  };
  TlsContext context_;
  std::unique_ptr<ssl_st, Freer> session_;
  HandshakeWatch watch_;
  bool broken_ = false;
};

}  // namespace keyward::web
