// SocialLogins: everything that logins at providers are made of, with the client that asks the providers.
#pragma once

#include "app/config/config.hpp"
#include "app/core.hpp"
#include "features/social_login/exchange.hpp"
#include "features/social_login/identities.hpp"
#include "features/social_login/social_login.hpp"
#include "outbound/client.hpp"
#include "outbound/documents.hpp"

namespace keyward::app {

class SocialLogins {
 public:
  struct Uses {
    features::NewSessions& sessions;
    features::CurrentPassword& current_password;
    const features::AccountMails& mails;
    features::AddressLimits& limits;
    bool needs_verified_email = false;
  };
  SocialLogins(const Config& config, Core& core, features::Providers providers, Uses uses);
  SocialLogins(const SocialLogins&) = delete;
  SocialLogins& operator=(const SocialLogins&) = delete;
  /// Ends what is asked of providers. While the loops still stand.
  ~SocialLogins() = default;

 private:
  features::Providers providers_;
  domain::ProviderLogins logins_;
  outbound::Client client_;
  outbound::Documents documents_;
  features::ProviderConversation conversation_;
  features::AccountMatching matching_;

 public:
  features::SocialLogin social_login;
  features::Exchange exchange;
  features::Identities identities;

  [[nodiscard]] const features::Providers& providers() const { return providers_; }
  [[nodiscard]] const outbound::ClientMeters& meters() const { return client_.meters(); }
};

}  // namespace keyward::app
