// BlockingLink: a connection to another server for `keyward doctor`, which looks at who answers there and
// how.
//
// All of it together has one time limit, of which each address of a host has its share. Over TLS it goes on
// with whoever answers, since nothing secret is said; distrust() has what is wrong with their certificate.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace keyward::web {

class BlockingLink {
 public:
  /// Error: unavailable, with a sentence's end: "does not resolve", "nothing answers".
  static Result<std::unique_ptr<BlockingLink>> connect(const std::string& host, const std::string& port,
                                                       std::chrono::seconds time_limit);
  BlockingLink(const BlockingLink&) = delete;
  BlockingLink& operator=(const BlockingLink&) = delete;
  ~BlockingLink();

  /// `name`: whom the certificate must name. `ca_file`: whom it must come from; empty: the system's.
  Result<void> start_tls(const std::string& name, const std::filesystem::path& ca_file);
  Result<void> send(std::string_view bytes);
  /// Reads until `enough`, the end, or `max_bytes`.
  Result<std::string> receive(std::size_t max_bytes, const std::function<bool(std::string_view)>& enough);

  /// Why the certificate is not to be trusted; nothing: it is, or there is no TLS.
  [[nodiscard]] const std::optional<std::string>& distrust() const { return distrust_; }
  [[nodiscard]] std::optional<Time> certificate_expires_at() const { return expires_at_; }

 private:
  struct Session;
  explicit BlockingLink(std::chrono::steady_clock::time_point deadline);
  Result<void> open(const std::string& host, const std::string& port);
  [[nodiscard]] bool wait_for(short events) const { return wait_until(deadline_, events); }
  [[nodiscard]] bool wait_until(std::chrono::steady_clock::time_point deadline, short events) const;
  [[nodiscard]] bool wait_for_tls(int returned) const;

  std::chrono::steady_clock::time_point deadline_;
  int socket_ = -1;
  std::unique_ptr<Session> session_;
  std::optional<std::string> distrust_;
  std::optional<Time> expires_at_;
};

}  // namespace keyward::web
