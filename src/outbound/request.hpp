// What a request of ours to another server is made of, and what comes of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "outbound/target.hpp"

namespace keyward::outbound {

/// How far a server is trusted. Requests with equal values share connections, others never do.
struct Trust {
  Network network = Network::public_only;
  /// For development: http to a loopback address. Any other http is refused, whatever this says.
  bool clear_text_loopback = false;
  /// Whose certificates count, alone; empty: the system's authorities.
  std::string ca_pem;

  bool operator==(const Trust&) const = default;
};

enum class Refusal : std::uint8_t {
  bad_url,              // or something else that must not be sent: fields with control characters
  clear_text,           // http where it is not allowed
  not_resolved,         // the name has no address, or nobody says so
  address_not_allowed,  // all addresses of the name are in networks that may not be asked
  not_connected,        // nobody there, or the connection broke
  tls_failed,           // the certificate does not count, or no TLS
  timed_out,
  too_large,           // the answer, or what was to be sent
  redirected,          // the answer says: ask elsewhere
  wrong_content_type,  // the answer is of another type, or is compressed
  malformed,           // the answer is no HTTP
  busy,                // too many requests are under way, or the server is stopping
};

/// `address_not_allowed`: for events and metrics.
std::string_view to_word(Refusal refusal);

struct Failure {
  Refusal refusal = Refusal::busy;
  std::string detail;  // for the log

  static std::unexpected<Failure> of(Refusal refusal, std::string detail) {
    return std::unexpected(Failure{refusal, std::move(detail)});
  }
};

template <class T>
using Fetched = std::expected<T, Failure>;

struct Field {
  std::string name;
  std::string value;
};

struct Request {
  std::string url;
  std::shared_ptr<const Trust> trust;  // null: Trust{}
  /// Authorization, for example. Not what HTTP itself needs: Host, Content-Type and the like are ours. Their
  /// values are wiped when the request is over.
  std::vector<Field> fields = {};
  /// With it: a POST of this application/x-www-form-urlencoded text, which is wiped when the request is over.
  std::optional<std::string> form = std::nullopt;
  /// What an answer may be; with application/json also application/ANYTHING+json.
  std::vector<std::string> content_types = {"application/json"};
};

struct Answer {
  unsigned status = 0;
  std::string content_type;  // lower case, without parameters
  /// May hold tokens: then its owner wipes it. Empty for a status from 500 with a type that was not asked
  /// for.
  std::string body;
  /// Of Cache-Control, less the answer's Age; 0 for no-store and no-cache; nothing when it does not say.
  std::optional<std::chrono::seconds> max_age;
};

}  // namespace keyward::outbound
