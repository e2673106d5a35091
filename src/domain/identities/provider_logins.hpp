// ProviderLogins: what is remembered of a login at a provider from the redirect to the callback, and that it
// comes back once.
//
// Nothing is stored for it here: it goes to the browser as a cookie, sealed (authenticated encryption) with
// the provider's name and the `state` as associated data. So a callback counts only in the browser that began
// it, with its own state, at its own provider (RFC 9700 §4.7, F4), and a stranger who begins a million logins
// fills no table. What is stored is that one came back: its first use wins, by one conditional INSERT.
//
// A ticket is the same for a signed-in person who wants to connect a provider: sealed words in the link that
// the browser goes to, good for a few minutes.
//
// Threats: login CSRF and injected codes (the cookie, F4) · mix-up (provider and issuer are sealed in, F5) ·
// a state that is used twice (used_logins) · a cookie of another time, or made up (sealed, with its end) ·
// what the provider must not know of PKCE and nonce (sealed: the browser cannot read it either).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "base/uuid.hpp"
#include "crypto/master_key.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

/// The signed-in person who wants to connect a provider.
struct Connecting {
  Uuid account_id;
  Uuid session_id;
  bool operator==(const Connecting&) const = default;
};

/// What the application asked for: where the browser goes afterwards, and what it will prove itself with.
struct Handover {
  std::string return_to;       // empty: the callback itself answers
  std::string code_challenge;  // RFC 7636, S256; empty: none
  bool operator==(const Handover&) const = default;
};

struct ProviderLogin {
  std::string provider;
  std::string issuer;
  std::string nonce;
  std::string code_verifier;  // ours, for the provider (RFC 7636)
  Handover handover;
  std::optional<Connecting> connecting;
  Time expires_at;
};

/// Of a link to connect a provider.
struct ConnectTicket {
  std::string provider;
  Handover handover;
  Connecting connecting;
  Time expires_at;
};

class ProviderLogins {
 public:
  ProviderLogins(const crypto::MasterKey& master_key, Random& random);

  /// `state` and `nonce`: 43 characters of base64url.
  [[nodiscard]] std::string make_random_text() const;

  /// The cookie's value.
  [[nodiscard]] std::string seal(const ProviderLogin& login, std::string_view state) const;
  /// What was sealed with this state for this provider, if its time is not over.
  [[nodiscard]] std::optional<ProviderLogin> open(std::string_view cookie, std::string_view provider,
                                                  std::string_view state, Time now) const;

  [[nodiscard]] std::string seal_ticket(const ConnectTicket& ticket) const;
  [[nodiscard]] std::optional<ConnectTicket> open_ticket(std::string_view text, std::string_view provider,
                                                         Time now) const;

 private:
  Secret key_;
  Random& random_;
};

/// Which cookie a login has: several may be under way in one browser. Eight hexadecimal digits.
std::string cookie_suffix(std::string_view state);

/// True for exactly one of N calls.
[[nodiscard]] bool use_login(storage::Transaction& transaction, std::string_view state, Time expires_at);

}  // namespace keyward::domain
