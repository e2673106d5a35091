// Our side of TLS towards others: who must be at the other end.
//
// TLS 1.2 or 1.3 with ephemeral keys and AEAD (RFC 9325 §4.2), ALPN http/1.1 (RFC 7301), the server's name
// told (RFC 6066 §3) and its certificate checked for it (RFC 9525: subjectAltName only, no partial
// wildcards), or for the address when the URL has one. No compression, no renegotiation, no resumption.
// Revocation is not asked for: of the two that could tell, OCSP is being given up and lists would be requests
// of their own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/free_with.hpp"
#include "outbound/request.hpp"

struct ssl_ctx_st;
struct ssl_st;
// NOLINTBEGIN(readability-identifier-naming): OpenSSL's names
extern "C" void SSL_CTX_free(ssl_ctx_st*);
extern "C" void SSL_free(ssl_st*);
// NOLINTEND(readability-identifier-naming)

namespace keyward::outbound {

using SslContext = std::unique_ptr<ssl_ctx_st, FreeWith<SSL_CTX_free>>;
using Ssl = std::unique_ptr<ssl_st, FreeWith<SSL_free>>;

/// What is kept of authorities that were read. For one thread.
class TlsContexts {
 public:
  /// For a connection to `host` that trusts the authorities in `ca_pem` alone; empty: the system's.
  Fetched<Ssl> make_session(const std::string& ca_pem, const std::string& host);

 private:
  struct Kept {
    std::string ca_pem;
    SslContext context;
  };
  std::vector<Kept> kept_;
};

/// What went wrong in a handshake, best known by the session; `otherwise`: what its caller knows.
std::string reason_of(ssl_st* session, std::string otherwise);

}  // namespace keyward::outbound
