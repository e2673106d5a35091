// SecurityEvent: what the log and the audit trail tell of, named with OWASP's Logging Vocabulary (L1).
//
// Threats: a secret in a log (an event has fixed fields: ids and words of ours, never a password or a token;
// an e-mail address only as audit.email says, L2) · a line forged by what a client sends (every text is
// escaped: one line out per event).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/uuid.hpp"

namespace keyward::domain {

struct SecurityEvent {
  std::string_view name;              // `authn_login_success`, …: a constant
  std::optional<Uuid> account_id;     // whom it is about
  std::optional<Uuid> actor_id = {};  // who did it, when that is somebody else
  std::optional<Uuid> session_id = {};
  std::string address = {};     // of the client
  std::string user_agent = {};  // of the client
  std::string request_id = {};
  std::string reason = {};    // a short constant of ours: "wrong_password", "unknown_account", …
  std::string detail = {};    // what changed: "roles +admin"
  std::string email = {};     // as typed; shown as EmailInEvents says
  std::string trace_id = {};  // the request's, when its caller told one; in the line alone
};

/// Every name there is.
extern const std::span<const std::string_view> event_names;

/// What the log and the trail keep of an e-mail address.
enum class EmailInEvents : std::uint8_t { off, hashed, plain };

/// One line without its end: `{"time":…,"event":…,…}`. Absent fields are left out.
std::string to_json_line(const SecurityEvent& event, Time now);

}  // namespace keyward::domain
