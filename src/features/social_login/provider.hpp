// Provider: somebody else who says who a person is, as the configuration has them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/metrics.hpp"
#include "base/secret.hpp"
#include "outbound/client.hpp"
#include "protocol/jose/key_set.hpp"
#include "protocol/oauth2/client_authentication.hpp"
#include "protocol/oidc/person.hpp"
#include "text/email.hpp"

namespace keyward::features {

/// How a provider tells who somebody is.
enum class Dialect : std::uint8_t {
  openid,   // an ID token (OpenID Connect); its endpoints are in its metadata
  github,   // OAuth 2.0, then /user and /user/emails
  discord,  // OAuth 2.0, then /users/@me
};

/// What is known of a kind of provider without anybody configuring it.
struct Preset {
  std::string_view type;
  std::string_view display_name;
  Dialect dialect = Dialect::openid;
  std::string_view issuer;  // empty: must be configured; {tenant} is filled in
  std::string_view scopes = "openid email profile";
  protocol::oidc::VerifiedSpelling verified = protocol::oidc::VerifiedSpelling::json_boolean;
  bool signs_its_secret = false;  // Apple: the client secret is a token that we sign
  bool answers_by_form = false;   // Apple: response_mode=form_post
};

/// google, github, microsoft, apple, gitlab, discord, oidc.
std::span<const Preset> presets();
const Preset* find_preset(std::string_view type);

/// What came of logins that came back from a provider, for metrics.
inline constexpr std::array<std::string_view, 6> provider_results{
    "success",       // a session, or a code for one
    "denied",        // the person said no
    "refused",       // what the provider said did not pass
    "no_account",    // … or there is no account for the person
    "invalid",       // not a login that was begun here
    "unavailable"};  // the provider does not answer, or this server is busy

struct Provider {
  std::string name;  // of its section; part of its paths and of the key of an identity
  std::string display_name;
  const Preset* preset = nullptr;
  std::string issuer;  // of OAuth 2.0: the server's origin
  std::string client_id;
  Secret client_secret;                                                  // empty: none
  std::optional<protocol::oauth2::ClientAuthentication> authentication;  // none: what the metadata offers
  std::optional<protocol::jose::SigningKey> key;                         // to sign as the client
  std::string team_id;                                                   // Apple's
  std::string tenant;  // Microsoft's: the only one that counts
  std::string scopes;
  std::vector<std::string> trusted_domains;  // in lower case
  bool sign_up = true;                       // makes accounts
  std::shared_ptr<const outbound::Trust> trust;
  std::string redirect_uri;  // of this provider alone (F5)
  std::shared_ptr<WordCounts> results = std::make_shared<WordCounts>(provider_results);

  /// Whether the provider may speak for addresses like this one of a person whom it describes so (F2).
  [[nodiscard]] bool is_authoritative(const text::EmailAddress& email,
                                      const protocol::oidc::Person& person) const;
};

class Providers {
 public:
  Providers() = default;
  explicit Providers(std::vector<Provider> all) : all_(std::move(all)) {}

  [[nodiscard]] const std::vector<Provider>& all() const { return all_; }
  /// nullptr: there is none of this name.
  [[nodiscard]] const Provider* find(std::string_view name) const;
  /// The same as a Result: not_found.
  [[nodiscard]] Result<const Provider*> get(std::string_view name) const;

 private:
  std::vector<Provider> all_;  // by name
};

}  // namespace keyward::features
