// The model of the target api_sequences: who and which sessions there are, and what must come of a refresh.
// Written from docs/design/refresh.md and the product's words, not from the code.
#pragma once

#include <array>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace keyward::fuzz {

// The defaults of the settings.
inline constexpr seconds access_lifetime{900};
inline constexpr seconds grace{10};
inline constexpr std::chrono::days idle_lifetime{7};
inline constexpr std::chrono::days absolute_lifetime{30};

inline constexpr std::array<std::string_view, 3> passwords{"amber pelican 17 tides", "quiet lantern 88 moss",
                                                           "frozen violin 52 keys"};

struct Account {
  std::string email;
  std::string password;
  std::string id;  // of the last one with this address
  bool exists = false;
  bool disabled = false;
  std::set<std::string> roles;

  [[nodiscard]] bool is_usable() const { return exists && !disabled; }
};

struct AccessToken {
  std::string token;
  Time expires;
};

struct Session {
  Account* account = nullptr;
  std::string id;
  unsigned agent = 0;  // of the client that logged in or last refreshed
  Time replaced_at;
  Time idle_ends;
  Time ends;
  bool ended = false;
  std::vector<std::string> refresh_tokens;  // by generation
  std::vector<AccessToken> access_tokens;

  [[nodiscard]] bool is_live(Time now) const {
    return !ended && account->is_usable() && now < idle_ends && now < ends;
  }
};

enum class Refreshing : std::uint8_t { advanced, repeated, refused };

struct Model {
  std::array<Account, 3> accounts;
  std::deque<Session> sessions;

  /// What must come of it, and what it does to the session.
  static Refreshing refresh(Session& session, std::size_t generation, unsigned agent, Time now) {
    if (!session.is_live(now)) return Refreshing::refused;
    const std::size_t current = session.refresh_tokens.size() - 1;
    if (generation == current) {
      session.agent = agent;
      session.replaced_at = now;
      session.idle_ends = now + idle_lifetime;
      return Refreshing::advanced;
    }
    const bool lost_answer =
        generation + 1 == current && now < session.replaced_at + grace && agent == session.agent;
    if (lost_answer) return Refreshing::repeated;
    session.ended = true;  // two have used it
    return Refreshing::refused;
  }

  void end_sessions(const Account& account, const Session* except) {
    for (Session& session : sessions) {
      if (session.account == &account && &session != except) session.ended = true;
    }
  }
  void disable(Account& account, bool disabled) {
    account.disabled = disabled;
    if (disabled) end_sessions(account, nullptr);
  }
  void forget(Account& account) {
    account.exists = false;
    account.disabled = false;
    account.roles.clear();
    end_sessions(account, nullptr);
  }
};

}  // namespace keyward::fuzz
