// Social login: people log in with an account that they have elsewhere.
//
// GET /auth/providers -> 200 {items: [{name, display_name, login_url}], next}
// GET /auth/{provider}/login?return_to=&code_challenge=&code_challenge_method=S256&login_hint=&ticket=
//   -> 303 to the provider, with the cookie that this login counts with
//   -> 404 · 422 · 429 · 503 with Retry-After while the provider is away
// GET, or POST of a form, /auth/{provider}/callback
//   -> 200 as login, or 303 return_to?code=… for POST /auth/exchange (exchange.hpp), or 303 return_to?error=…
//   -> with a ticket (identities.hpp): 200 {code, expires_in} or 303 return_to?code=… to connect the provider
//   -> 400 for a login that is none · 403 what the provider says is refused · 409 · 429 · 503
//
// OpenID Connect Core §3.1, RFC 6749 §4.1, RFC 7636, RFC 9207, RFC 9700. A login changes nothing here before
// the callback, whose first act is to use the login up. What the provider says is checked in
// conversation.hpp, which account it is decided in matching.hpp.
//
// Threats: login CSRF, injected or replayed codes (a sealed cookie with state, nonce and verifier, good once:
// domain/identities/provider_logins, F4) · mix-up (F5) · an open redirect (return_to is a path of ours or of
// a listed origin, in a spelling that has one reading, F8) · tokens in a URL (a code that is worth nothing
// without its verifier) · a page of another site that sends somebody here (it gets nothing back that it could
// use) · floods (a limit for each client address; nothing is stored before the callback).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "domain/identities/handover_codes.hpp"
#include "domain/identities/provider_logins.hpp"
#include "features/events.hpp"
#include "features/limited.hpp"
#include "features/new_sessions.hpp"
#include "features/requested_locale.hpp"
#include "features/social_login/conversation.hpp"
#include "features/social_login/matching.hpp"
#include "features/social_login/provider.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct ProviderView {
  std::string name;
  std::string display_name;
  std::string login_url;
};
BOOST_DESCRIBE_STRUCT(ProviderView, (), (name, display_name, login_url))

struct ProviderLoginQuery {
  std::optional<std::string> return_to;
  std::optional<std::string> code_challenge;
  std::optional<std::string> code_challenge_method;
  std::optional<std::string> login_hint;
  std::optional<std::string> ticket;

  static constexpr auto checks() {
    return web::fields(
        web::field(&ProviderLoginQuery::return_to,
                   web::Description{"Where the browser goes afterwards: a path, or a URL of an origin in "
                                    "social.return_to_origins"}),
        web::field(&ProviderLoginQuery::code_challenge,
                   web::Description{"RFC 7636, S256; needed with return_to"}),
        web::field(&ProviderLoginQuery::code_challenge_method, web::Description{"S256"}),
        web::field(&ProviderLoginQuery::login_hint, web::MaxCodePoints{limits::email_max_bytes},
                   web::NoControlCharacters{}, web::Description{"Passed on to the provider"}),
        web::field(&ProviderLoginQuery::ticket,
                   web::Description{"Of POST /me/identities/{provider}, instead of the others"}));
  }
};
BOOST_DESCRIBE_STRUCT(ProviderLoginQuery, (),
                      (return_to, code_challenge, code_challenge_method, login_hint, ticket))

/// What a provider sends by the browser (RFC 6749 §4.1.2), as a query or a form. It may say more.
struct CallbackForm {
  std::optional<std::string> code;
  std::optional<std::string> state;
  std::optional<std::string> iss;
  std::optional<std::string> error;
  std::optional<std::string> error_description;
  std::optional<std::string> user;  // Apple's
};
BOOST_DESCRIBE_STRUCT(CallbackForm, (), (code, state, iss, error, error_description, user))

/// The answer of a callback to connect a provider, where there is no return_to.
struct ConnectCode {
  std::string code;
  std::int64_t expires_in = 0;  // seconds
};
BOOST_DESCRIBE_STRUCT(ConnectCode, (), (code, expires_in))

struct SocialLogin {
  storage::Database& database;
  const Providers& providers;
  ProviderConversation& conversation;
  const domain::ProviderLogins& logins;
  const AccountMatching& matching;
  NewSessions& sessions;
  AddressLimits& limits;
  domain::EventLog& events;
  const Clock& clock;
  Random& random;
  std::string public_url;
  std::vector<std::string> return_to_origins;

  Result<web::Page<ProviderView>> list(web::Public) const;
  Task<Result<web::SeeOther>> begin(web::Public, web::Path<"provider", std::string> name,
                                    web::Query<ProviderLoginQuery> query, web::Client client,
                                    web::RawRequest request, web::AnswerHeaders headers);
  Task<Result<web::Response>> come_back(web::Public, web::Path<"provider", std::string> name,
                                        web::Query<CallbackForm, web::Unknown::ignored> query,
                                        web::Client client, RequestedLocale locale, web::RawRequest request,
                                        web::AnswerHeaders headers);
  Task<Result<web::Response>> come_back_by_form(web::Public, web::Path<"provider", std::string> name,
                                                web::Body<CallbackForm, web::Unknown::ignored> form,
                                                web::Client client, RequestedLocale locale,
                                                web::RawRequest request, web::AnswerHeaders headers);

 private:
  /// A login that has come back, and is used up.
  struct Return {
    const Provider* provider = nullptr;
    domain::ProviderLogin login;
    Asker asker;
  };
  Task<Result<web::Response>> finish(std::string name, CallbackForm form, Asker asker, std::string cookies,
                                     web::AnswerHeaders headers);
  Task<Result<Return>> take_up(std::string name, std::string state, Asker asker, std::string cookies,
                               web::AnswerHeaders headers);
  Task<Result<web::Response>> go_on(Return back, CallbackForm form);
  Task<Result<web::Response>> answer_person(Return back, protocol::oidc::Person person);
  Task<Result<std::string>> hand_over(const Return& back, const protocol::oidc::Person& person);
  Error note_refusal(const Return& back, const ProviderRefusal& refusal);
  void emit_refusal(const Return& back, std::string_view word, std::string_view detail = {});
  [[nodiscard]] std::string cookie_name(std::string_view state) const;
  /// Of logins that were begun and never came back: too many of them would fill the head of every request.
  void drop_old_cookies(std::string_view cookies, const Provider& provider,
                        const web::AnswerHeaders& headers) const;
  [[nodiscard]] std::optional<std::string> own_spelling(const web::Request& request) const;
  [[nodiscard]] std::string_view cookie_prefix() const;
  [[nodiscard]] std::string cookie_end(const Provider& provider) const;
};

}  // namespace keyward::features
