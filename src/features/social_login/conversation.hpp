// ProviderConversation: what is said between a provider and us in one login: where the browser is sent, and
// what the code that it brings back is worth.
//
// OpenID Connect Core §3.1 (code flow), Discovery §4, RFC 6749 §4.1, RFC 7636, RFC 9207; for providers
// without ID tokens RFC 6749 and their own API. The rules are protocol/oauth2 and protocol/oidc; the network
// is outbound.
//
// Threats: everything that a provider, or somebody between, can send (each check has a word of its own, which
// the event names; F5, F6) · a provider that is slow or away (limits of outbound; 503) · a rotated key (the
// keys are fetched anew at most once in an interval, whatever tokens say, F7).
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "domain/identities/provider_logins.hpp"
#include "features/social_login/provider.hpp"
#include "outbound/client.hpp"
#include "outbound/documents.hpp"
#include "protocol/oauth2/callback.hpp"
#include "protocol/oidc/person.hpp"
#include "protocol/oidc/provider_metadata.hpp"
#include "runtime/task.hpp"

namespace keyward::features {

/// Why a login at a provider comes to nothing.
struct ProviderRefusal {
  std::string word;        // of the check: issuer_mismatch, timed_out, … : for the event
  std::string detail;      // for the log
  bool is_away = false;    // nothing was refused: the provider does not answer
  bool is_denial = false;  // the person said no
};
template <class T>
using Heard = std::expected<T, ProviderRefusal>;

class ProviderConversation {
 public:
  struct Dependencies {
    outbound::Client& client;
    outbound::Documents& documents;
    const Clock& clock;
    Random& random;
  };
  explicit ProviderConversation(Dependencies dependencies) : uses_(dependencies) {}

  /// The URL to send the browser to (OpenID Connect Core §3.1.2.1). `provider` outlives the coroutine.
  Task<Heard<std::string>> authorization_url(const Provider* provider, domain::ProviderLogin login,
                                             std::string state, std::string login_hint);

  /// What the browser brought back.
  struct Brought {
    protocol::oauth2::CallbackParameters parameters;
    std::string user;  // Apple's form field: a name, told once
  };
  /// Checks it, redeems the code, and says who the person is.
  Task<Heard<protocol::oidc::Person>> find_person(const Provider* provider, domain::ProviderLogin login,
                                                  Brought brought);

 private:
  using Metadata = protocol::oidc::ProviderMetadata;
  struct Redeemed {
    Secret access_token;
    std::string id_token;
  };
  Task<Heard<Metadata>> read_metadata(const Provider* provider);
  Task<Heard<Redeemed>> redeem(const Provider* provider, Metadata metadata, std::string code,
                               std::string code_verifier);
  Task<Heard<protocol::oidc::Person>> read_id_token(const Provider* provider, Metadata metadata,
                                                    domain::ProviderLogin login, Redeemed redeemed);
  Task<Heard<std::string>> get(const Provider* provider, std::string url, Secret access_token);
  Task<Heard<protocol::oidc::Person>> read_github(const Provider* provider, Secret access_token);

  Dependencies uses_;
};

}  // namespace keyward::features
