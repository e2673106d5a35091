#include "features/social_login/social_login.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "features/cookies.hpp"
#include "features/social_login/handover.hpp"
#include "protocol/oauth2/form.hpp"
#include "protocol/oauth2/pkce.hpp"
#include "text/unicode.hpp"

namespace keyward::features {

namespace {

namespace oauth2 = protocol::oauth2;

constexpr int provider_retry_s = 5;
constexpr auto cookie_lifetime = std::chrono::duration_cast<seconds>(limits::provider_login_lifetime);

std::unexpected<Error> no_login() {
  return fail(ErrorCode::bad_request, "The login is not valid or has expired. Start again", "state");
}

web::Response json_answer(const auto& value) {
  return web::Answers<std::remove_cvref_t<decltype(value)>>::make(
      std::remove_cvref_t<decltype(value)>{value});
}

web::Response see(std::string location) {
  return web::Answers<web::SeeOther>::make(web::SeeOther{std::move(location)});
}

/// The word for `error` in the URL that the browser goes back to.
std::string_view word_for_application(const ProviderRefusal& refusal) {
  if (refusal.is_denial) return "access_denied";
  return refusal.is_away ? "temporarily_unavailable" : "provider_error";
}

}  // namespace

Result<web::Page<ProviderView>> SocialLogin::list(web::Public) const {
  web::Page<ProviderView> page;
  for (const auto& provider : providers.all())
    page.items.push_back(
        {provider.name, provider.display_name, fmt::format("{}/auth/{}/login", public_url, provider.name)});
  return page;
}

std::string SocialLogin::cookie_name(std::string_view state) const {
  return fmt::format("{}{}", cookie_prefix(), domain::cookie_suffix(state));
}

std::string_view SocialLogin::cookie_prefix() const {
  // Without TLS (a developer's machine) a browser takes no cookie with __Host-.
  return public_url.starts_with("https://") ? "__Host-kw_login_" : "kw_login_";
}

/// A developer's machine has several names, and a cookie has one: the callback comes to the public URL's.
std::optional<std::string> SocialLogin::own_spelling(const web::Request& request) const {
  constexpr std::string_view in_clear = "http://";
  if (!public_url.starts_with(in_clear)) return std::nullopt;
  const auto own = std::string_view{public_url}.substr(in_clear.size());
  const auto host = request.header("Host").value_or(own);
  const auto is_of_loopback = [](std::string_view authority) {
    return authority.starts_with("localhost:") || authority.starts_with("127.0.0.1:") ||
           authority.starts_with("[::1]:");
  };
  const auto port_of = [](std::string_view authority) { return authority.substr(authority.rfind(':') + 1); };
  if (host == own || !is_of_loopback(host) || !is_of_loopback(own) || port_of(host) != port_of(own))
    return std::nullopt;
  return public_url + std::string{request.target};
}

void SocialLogin::drop_old_cookies(std::string_view cookies, const Provider& provider,
                                   const web::AnswerHeaders& headers) const {
  const auto found = find_cookie_names(cookies, cookie_prefix());
  if (found.size() < limits::login_cookies_max) return;
  for (const auto name : found)
    headers.add("Set-Cookie", fmt::format("{}=; Max-Age=0{}", name, cookie_end(provider)));
}

std::string SocialLogin::cookie_end(const Provider& provider) const {
  const bool secure = public_url.starts_with("https://");
  // A form that the provider's page sends is cross-site: Lax would keep the cookie back (RFC 6265bis §5.7.2).
  const auto* const same_site = provider.preset->answers_by_form && secure ? "None" : "Lax";
  return fmt::format("; Path=/{}; HttpOnly; SameSite={}", secure ? "; Secure" : "", same_site);
}

Task<Result<web::SeeOther>> SocialLogin::begin(web::Public, web::Path<"provider", std::string> name,
                                               web::Query<ProviderLoginQuery> query, web::Client client,
                                               web::RawRequest request, web::AnswerHeaders headers) {
  if (auto elsewhere = own_spelling(*request)) co_return web::SeeOther{std::move(*elsewhere)};
  if (auto admitted = co_await limits.admit(domain::LimitClass::provider_address, client, headers); !admitted)
    co_return fail_from(admitted);
  const auto provider = providers.get(*name);
  if (!provider) co_return std::unexpected(provider.error());
  domain::ProviderLogin login{.provider = *name,
                              .issuer = (*provider)->issuer,
                              .nonce = logins.make_random_text(),
                              .code_verifier = oauth2::make_verifier(random),
                              .handover = {},
                              .connecting = std::nullopt,
                              .expires_at = clock.now() + limits::provider_login_lifetime};
  if (query->ticket) {
    auto ticket = logins.open_ticket(*query->ticket, *name, clock.now());
    if (!ticket) co_return fail_field("ticket", "is not valid or has expired");
    login.handover = std::move(ticket->handover);
    login.connecting = ticket->connecting;
  } else {
    if (query->code_challenge && !query->return_to)
      co_return fail_field("return_to", "is needed with code_challenge");
    auto handover = to_handover({query->return_to, query->code_challenge, query->code_challenge_method},
                                return_to_origins);
    if (!handover) co_return fail_from(handover);
    login.handover = std::move(*handover);
  }

  const auto return_to = login.handover.return_to;
  const auto state = logins.make_random_text();
  auto cookie = fmt::format("{}={}; Max-Age={}{}", cookie_name(state), logins.seal(login, state),
                            cookie_lifetime.count(), cookie_end(**provider));
  auto url = co_await conversation.authorization_url(*provider, std::move(login), state,
                                                     query->login_hint.value_or(""));
  if (!url) {
    auto event = about("authn_login_fail", client, std::nullopt, url.error().word);
    event.detail = fmt::format("{}: {}", *name, url.error().detail);
    events.emit(std::move(event));
    if (!return_to.empty())
      co_return web::SeeOther{oauth2::with_query(return_to, {{"error", word_for_application(url.error())}})};
    const auto* const what = url.error().is_away ? "{} cannot be reached" : "{} does not say what it must";
    co_return std::unexpected(Error{ErrorCode::unavailable,
                                    fmt::format(fmt::runtime(what), (*provider)->display_name),
                                    fmt::format("{}: {}", *name, url.error().detail),
                                    {},
                                    provider_retry_s});
  }
  drop_old_cookies(request->header("Cookie").value_or(""), **provider, headers);
  headers.add("Set-Cookie", std::move(cookie));
  co_return web::SeeOther{std::move(*url)};
}

Task<Result<web::Response>> SocialLogin::come_back(web::Public, web::Path<"provider", std::string> name,
                                                   web::Query<CallbackForm, web::Unknown::ignored> query,
                                                   web::Client client, RequestedLocale locale,
                                                   web::RawRequest request, web::AnswerHeaders headers) {
  // A look is no login (S7): programs that check links ask with HEAD.
  if (request->method == web::Method::head)
    co_return fail(ErrorCode::method_not_allowed, "This path takes GET");
  co_return co_await finish(*name, query.value, {std::move(client), std::move(locale.tag), std::nullopt},
                            std::string{request->header("Cookie").value_or("")}, headers);
}

Task<Result<web::Response>> SocialLogin::come_back_by_form(
    web::Public, web::Path<"provider", std::string> name, web::Body<CallbackForm, web::Unknown::ignored> form,
    web::Client client, RequestedLocale locale, web::RawRequest request, web::AnswerHeaders headers) {
  const auto* const provider = providers.find(*name);
  if (provider != nullptr && !provider->preset->answers_by_form)
    co_return fail(ErrorCode::method_not_allowed, "This provider answers by GET");
  co_return co_await finish(*name, std::move(form.value),
                            {std::move(client), std::move(locale.tag), std::nullopt},
                            std::string{request->header("Cookie").value_or("")}, headers);
}

Task<Result<web::Response>> SocialLogin::finish(std::string name, CallbackForm form, Asker asker,
                                                std::string cookies, web::AnswerHeaders headers) {
  auto back = co_await take_up(std::move(name), form.state.value_or(""), std::move(asker), std::move(cookies),
                               headers);
  if (!back) co_return fail_from(back);
  co_return co_await go_on(std::move(*back), std::move(form));
}

Task<Result<SocialLogin::Return>> SocialLogin::take_up(std::string name, std::string state, Asker asker,
                                                       std::string cookies, web::AnswerHeaders headers) {
  if (auto admitted = co_await limits.admit(domain::LimitClass::provider_address, asker.client, headers);
      !admitted)
    co_return fail_from(admitted);
  const auto provider = providers.get(name);
  if (!provider) co_return std::unexpected(provider.error());
  Return back{*provider, {}, std::move(asker)};
  const auto refuse_state = [&](std::string_view why) {
    (*provider)->results->add("invalid");
    emit_refusal(back, "state", why);
    return no_login();
  };
  if (state.empty()) co_return refuse_state("missing");
  const auto cookie = cookie_name(state);
  auto login = logins.open(find_cookie(cookies, cookie), name, state, clock.now());
  if (!login) co_return refuse_state("not of this browser, or expired");
  headers.set("Set-Cookie", fmt::format("{}=; Max-Age=0{}", cookie, cookie_end(**provider)));
  const bool first =
      co_await database.write([&, expires_at = login->expires_at](storage::Transaction& transaction) {
        return domain::use_login(transaction, state, expires_at);
      });
  if (!first) co_return refuse_state("used before");
  // Another issuer under the same name, since the login began.
  if (login->issuer != (*provider)->issuer) co_return refuse_state("the provider was changed");
  back.login = std::move(*login);
  co_return back;
}

Task<Result<web::Response>> SocialLogin::go_on(Return back, CallbackForm form) {
  const auto return_to = back.login.handover.return_to;
  auto person = co_await conversation.find_person(
      back.provider, back.login,
      {{form.code, form.state, form.iss, form.error, form.error_description}, form.user.value_or("")});
  if (!person) {
    auto error = note_refusal(back, person.error());
    if (return_to.empty()) co_return std::unexpected(std::move(error));
    co_return see(oauth2::with_query(return_to, {{"error", word_for_application(person.error())}}));
  }
  co_return co_await answer_person(std::move(back), std::move(*person));
}

Task<Result<web::Response>> SocialLogin::answer_person(Return back, protocol::oidc::Person person) {
  const auto return_to = back.login.handover.return_to;
  auto& results = *back.provider->results;
  auto refuse = [&](Error error) -> Result<web::Response> {
    // Of a server that is busy the detail is for our log, and no word for anybody else.
    const bool is_busy = error.code == ErrorCode::unavailable;
    const auto word = is_busy ? std::string{"temporarily_unavailable"} : error.private_detail;
    results.add(is_busy ? "unavailable" : "no_account");
    if (!is_busy) emit_refusal(back, word);
    if (return_to.empty()) return std::unexpected(std::move(error));
    return see(oauth2::with_query(return_to, {{"error", word}}));
  };
  if (back.login.connecting || !return_to.empty()) {
    auto code = co_await hand_over(back, person);
    if (!code) co_return refuse(std::move(code).error());
    results.add("success");
    if (!return_to.empty()) co_return see(oauth2::with_query(return_to, {{"code", *code}}));
    co_return json_answer(ConnectCode{std::move(*code), limits::exchange_code_lifetime.count()});
  }
  auto answer = co_await sessions.start([&](storage::Transaction& transaction) -> Result<NewSession> {
    const auto now = clock.now();
    auto account = matching.match(transaction, *back.provider, person, back.asker, now);
    if (!account) return fail_from(account);
    if (!domain::record_login(transaction, account->id, now))
      return fail(ErrorCode::forbidden, "The account is disabled", "account_disabled");
    return sessions.make(transaction, *account, {.asker = back.asker, .provider = back.provider->name}, now);
  });
  if (!answer) co_return refuse(std::move(answer).error());
  results.add("success");
  co_return json_answer(*answer);
}

Task<Result<std::string>> SocialLogin::hand_over(const Return& back, const protocol::oidc::Person& person) {
  return database.write([&](storage::Transaction& transaction) -> Result<std::string> {
    const auto now = clock.now();
    const auto& client = back.asker.client;
    domain::NewHandoverCode wanted{.account_id = {},
                                   .session_id = std::nullopt,
                                   .identity = {back.provider->name, back.provider->issuer, person.subject},
                                   .email = text::to_storable_text(person.email, limits::email_max_bytes),
                                   .code_challenge = back.login.handover.code_challenge,
                                   .device = {client.user_agent, client.address}};
    if (const auto& connecting = back.login.connecting) {
      // Whose identity it is already is said when the code is used, to the person who is signed in.
      if (!domain::find_live_account(transaction, connecting->session_id, connecting->account_id, now))
        return fail(ErrorCode::bad_request, "The session that asked for this has ended", "session_ended");
      wanted.account_id = connecting->account_id;
      wanted.session_id = connecting->session_id;
    } else {
      const auto account = matching.match(transaction, *back.provider, person, back.asker, now);
      if (!account) return std::unexpected(account.error());
      wanted.account_id = account->id;
    }
    return domain::insert_handover_code(transaction, wanted, now, random);
  });
}

Error SocialLogin::note_refusal(const Return& back, const ProviderRefusal& refusal) {
  const auto& name = back.provider->display_name;
  const auto* const result = refusal.is_denial ? "denied" : refusal.is_away ? "unavailable" : "refused";
  back.provider->results->add(result);
  emit_refusal(back, refusal.word, refusal.detail);
  // Most often the secret: something for whoever runs this server.
  if (refusal.word == "token_refused")
    log(LogLevel::error, "provider_refused_us",
        {{"provider", back.provider->name}, {"reason", refusal.detail}});
  if (refusal.is_away)
    return {ErrorCode::unavailable,
            fmt::format("{} cannot be reached", name),
            refusal.detail,
            {},
            provider_retry_s};
  if (refusal.is_denial)
    return {ErrorCode::forbidden, fmt::format("{} says that you did not agree", name), refusal.detail, {}, 0};
  return {ErrorCode::forbidden, fmt::format("The login at {} did not succeed", name), refusal.detail, {}, 0};
}

void SocialLogin::emit_refusal(const Return& back, std::string_view word, std::string_view detail) {
  auto event =
      about("authn_login_fail", back.asker.client,
            back.login.connecting ? std::optional{back.login.connecting->account_id} : std::nullopt, word);
  event.detail = back.provider->name;
  if (!detail.empty()) event.detail.append(": ").append(detail);
  events.emit(std::move(event));
}

}  // namespace keyward::features
