// TlsCertificate: what the HTTPS listener shows, and the rules of the connections made with it.
//
// TLS 1.3, and TLS 1.2 with forward secrecy and AEAD suites only (RFC 9325, BCP 195); no renegotiation, no
// compression, no early data. Resumption by tickets, whose keys go with each reload, twice a day at least.
// Threats: a key file that everybody can read (refused) · a certificate that does not belong to its key, or
// has expired, noticed by the first client (checked when it is loaded) · a certificate that was renewed while
// the server runs (reload(); a broken one leaves the old one in place) · another protocol's server on the
// same name (a client that offers ALPN must offer http/1.1, RFC 9525 §3 and ALPACA).
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"

// OpenSSL's own name for it; its headers stay in the .cpp files.
struct ssl_ctx_st;

namespace keyward::web {

struct TlsFiles {
  std::filesystem::path certificate;  // PEM: the server's, then those that it hangs on
  std::filesystem::path key;          // PEM, not encrypted
};

using TlsContext = std::shared_ptr<ssl_ctx_st>;

class TlsCertificate {
 public:
  /// The error is one sentence for the operator, without the files' content.
  static Result<std::unique_ptr<TlsCertificate>> load(TlsFiles files, Time now);

  /// For a new connection; from any thread.
  [[nodiscard]] TlsContext current() const { return current_.load(); }
  /// The files have changed since they were loaded, or the tickets' keys are old. From one thread at a time,
  /// like reload().
  [[nodiscard]] bool is_stale(Time now) const;
  Result<void> reload(Time now);
  [[nodiscard]] Time expires_at() const { return expires_at_; }

 private:
  /// What tells one version of a file from the next.
  struct Version {
    std::filesystem::file_time_type certificate, key;
    std::uintmax_t certificate_bytes = 0, key_bytes = 0;
    bool operator==(const Version&) const = default;
  };
  explicit TlsCertificate(TlsFiles files) : files_(std::move(files)) {}
  [[nodiscard]] Version look() const;

  TlsFiles files_;
  Version version_;
  Time loaded_at_;
  Time expires_at_;
  std::atomic<TlsContext> current_;
};

/// Writes a new key and a certificate for localhost, 127.0.0.1 and ::1 that nobody else vouches for; files
/// that are there and good for another day are left alone. For development.
Result<void> make_development_certificate(const TlsFiles& files, Time now);

}  // namespace keyward::web
