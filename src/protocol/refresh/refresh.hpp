// Refresh: what becomes of a refresh token that is presented; docs/design/refresh.md has the picture and the
// reasons. RFC 9700 §2.2.2 and §4.14, OAuth 2.1 §4.3.
//
// A session has one generation, a number; a refresh token names the session and a generation. decide() is a
// pure function of the session's row, the call and `now`, and the caller carries its decision out in one
// conditional statement. Threats: a stolen token (whoever comes second after the window, or from another
// client, ends the session, O14) · two live branches (only the current generation can be followed by another,
// O15) · an answer that was lost, and two tabs at once (the generation just replaced gets the current one's
// tokens again, for a short while) · a restored backup (a generation that the row has not reached ends the
// session) · an end that is put off for ever (the absolute limit never moves, S4).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace keyward::protocol::refresh {

/// What a session's client is known by, hashed.
using Binding = std::array<std::uint8_t, 32>;

enum class Policy : std::uint8_t {
  rotate,        // each use replaces the token
  reuse,         // the token stays; for confidential clients that prove their key with each call
  sender_bound,  // the token stays, and serves one client only (FAPI 2.0 §5.3.2.1: no rotation)
};
std::string_view to_word(Policy policy);
/// Of the column `refresh_policy`; nothing for a word that is none.
std::optional<Policy> parse_policy(std::string_view word);

/// A session as its row says.
struct State {
  std::int64_t generation = 0;
  std::optional<Time> replaced_at;  // when generation - 1 gave way to this one; none: it was never refreshed
  std::optional<Binding> binding;   // of the client that logged in or last refreshed
  Time idle_expires_at;
  Time expires_at;
  std::optional<Time> ended_at;
  Policy policy = Policy::rotate;
  bool account_usable = true;
};

/// A genuine refresh token, presented.
struct Call {
  std::int64_t generation = 0;
  Binding binding{};
  Time now;
};

struct Rules {
  std::chrono::seconds grace{10};  // 0: no window at all
  std::chrono::seconds idle_lifetime{7 * 24 * 3600};
};

enum class Action : std::uint8_t {
  advance,  // the next generation, and its tokens
  renew,    // the same generation; the idle limit slides
  repeat,   // the current generation's tokens once more; nothing changes
  end,      // the token was used by two: the session ends
  refuse,   // there is no session to speak for; nothing changes
};

enum class Reason : std::uint8_t {
  none,
  account_disabled,
  session_ended,
  idle_expired,
  absolute_expired,
  replayed,        // a generation before the one just replaced
  late,            // the one just replaced, after the window
  another_client,  // from another client than the one that holds the session
  ahead,           // a generation that was never given out as far as the row knows
};
std::string_view to_word(Reason reason);

struct Decision {
  Action action = Action::refuse;
  Reason reason = Reason::none;
  std::int64_t generation = 0;  // of the token that the client gets; for advance, renew and repeat
  Time idle_expires_at;         // of the row from now on; for advance and renew
  bool operator==(const Decision&) const = default;
};

Decision decide(const State& state, const Call& call, const Rules& rules);

}  // namespace keyward::protocol::refresh
