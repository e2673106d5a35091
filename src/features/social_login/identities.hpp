// Identities: the signed-in person's accounts at providers: which are connected, one more, one less.
//
// GET /me/identities -> 200 {items: [{provider, display_name, email, connected_at, last_login_at}], next}
// POST /me/identities/{provider} {current_password?, return_to?, code_challenge?, code_challenge_method?}
//   -> 200 {login_url, expires_in}: where the browser goes; the callback (social_login.hpp) answers with a
//   code
//   -> 403 wrong password, or none and the login was too long ago, or the address is not verified · 404 · 409
//   connected already · 422 · 429
// POST /me/identities/{provider}/confirm {code, code_verifier?} -> 201 the identity · 400 · 409 it is another
//   account's
// DELETE /me/identities/{provider} -> 204 · 404 · 409 the only way in
//
// Threats: a stolen access token that adds a way in for good (the password, or a login of the last minutes) ·
// a stranger's link that connects the victim's identity with the stranger's account, or the other way round
// (a code counts for the account and the session that asked, with its verifier: F3) · a code that lives on
// (once, a minute, and gone when that provider is disconnected) · the last way in taken away (one conditional
// statement) · an account registered in wait for the owner of its address, with an identity as a back door
// (only when the address is verified) · N at once (one wins).
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <vector>

#include "access/signed_in.hpp"
#include "base/random.hpp"
#include "domain/identities/handover_codes.hpp"
#include "domain/identities/identities.hpp"
#include "domain/identities/provider_logins.hpp"
#include "domain/revisions/revisions.hpp"
#include "features/account_mails.hpp"
#include "features/current_password.hpp"
#include "features/events.hpp"
#include "features/limited.hpp"
#include "features/requested_locale.hpp"
#include "features/social_login/provider.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct IdentityView {
  std::string provider;
  std::string display_name;
  std::optional<std::string> email;  // as the provider said last
  Time connected_at;
  std::optional<Time> last_login_at;
};
BOOST_DESCRIBE_STRUCT(IdentityView, (), (provider, display_name, email, connected_at, last_login_at))

struct ConnectForm {
  std::optional<Secret> current_password;
  std::optional<std::string> return_to;
  std::optional<std::string> code_challenge;
  std::optional<std::string> code_challenge_method;

  static constexpr auto checks() {
    return web::fields(
        web::field(&ConnectForm::current_password, web::WriteOnly{},
                   web::Description{"Of an account that has one; without, a login of the last ten minutes"}),
        web::field(&ConnectForm::return_to,
                   web::Description{"Where the browser goes afterwards: a path, or a URL of an origin in "
                                    "social.return_to_origins"}),
        web::field(&ConnectForm::code_challenge, web::Description{"RFC 7636, S256; needed with return_to"}),
        web::field(&ConnectForm::code_challenge_method, web::Description{"S256"}));
  }
};
BOOST_DESCRIBE_STRUCT(ConnectForm, (), (current_password, return_to, code_challenge, code_challenge_method))

struct ConnectBegun {
  std::string login_url;
  std::int64_t expires_in = 0;  // seconds
};
BOOST_DESCRIBE_STRUCT(ConnectBegun, (), (login_url, expires_in))

struct ConfirmConnectForm {
  Secret code;
  std::optional<Secret> code_verifier;

  static constexpr auto checks() {
    return web::fields(web::field(&ConfirmConnectForm::code, web::WriteOnly{}),
                       web::field(&ConfirmConnectForm::code_verifier, web::WriteOnly{},
                                  web::Description{"When there was a code_challenge"}));
  }
};
BOOST_DESCRIBE_STRUCT(ConfirmConnectForm, (), (code, code_verifier))

struct Identities {
  storage::Database& database;
  const Providers& providers;
  const domain::ProviderLogins& logins;
  CurrentPassword& current_password;
  AddressLimits& limits;
  const AccountMails& mails;
  domain::Revisions& revisions;
  domain::EventLog& events;
  const Clock& clock;
  std::string public_url;
  std::vector<std::string> return_to_origins;

  Task<Result<web::Page<IdentityView>>> list(access::SignedIn who);
  Task<Result<ConnectBegun>> connect(access::SignedIn who, web::Path<"provider", std::string> name,
                                     web::OptionalBody<ConnectForm> form, web::Client client,
                                     PresentedDevice device, web::AnswerHeaders headers);
  Task<Result<web::Created<IdentityView>>> confirm(access::SignedIn who,
                                                   web::Path<"provider", std::string> name,
                                                   web::Body<ConfirmConnectForm> form, web::Client client,
                                                   RequestedLocale locale, web::AnswerHeaders headers);
  Task<Result<web::NoContent>> disconnect(access::SignedIn who, web::Path<"provider", std::string> name,
                                          web::Client client, RequestedLocale locale);

 private:
  [[nodiscard]] std::string display_name_of(std::string_view name) const;
  [[nodiscard]] IdentityView to_view(domain::Identity identity) const;
  Result<domain::Identity> insert(storage::Transaction& transaction, const domain::HandoverCode& code,
                                  const Asker& asker) const;
};

}  // namespace keyward::features
