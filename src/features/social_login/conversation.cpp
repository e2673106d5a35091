#include "features/social_login/conversation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/jose/jwk.hpp"
#include "protocol/oauth2/form.hpp"
#include "protocol/oauth2/pkce.hpp"
#include "protocol/oauth2/provider_words.hpp"
#include "protocol/oauth2/token_answer.hpp"
#include "protocol/oidc/apple.hpp"
#include "protocol/oidc/discord.hpp"
#include "protocol/oidc/github.hpp"
#include "protocol/oidc/id_token.hpp"
#include "text/base64url.hpp"

namespace keyward::features {

namespace {

namespace oauth2 = protocol::oauth2;
namespace oidc = protocol::oidc;
namespace jose = protocol::jose;

using oauth2::ClientAuthentication;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr unsigned first_server_error = 500;
constexpr unsigned too_many_requests = 429;
constexpr unsigned ok = 200;

std::unexpected<ProviderRefusal> refused(const jose::Refusal& refusal) {
  return std::unexpected(
      ProviderRefusal{.word = std::string{jose::to_word(refusal.reason)}, .detail = refusal.detail});
}

std::unexpected<ProviderRefusal> failed(const outbound::Failure& failure) {
  using enum outbound::Refusal;
  const bool away = failure.refusal == not_resolved || failure.refusal == not_connected ||
                    failure.refusal == timed_out || failure.refusal == busy;
  return std::unexpected(ProviderRefusal{
      .word = std::string{outbound::to_word(failure.refusal)}, .detail = failure.detail, .is_away = away});
}

bool is_away(unsigned status) { return status >= first_server_error || status == too_many_requests; }

std::unexpected<ProviderRefusal> bad_status(unsigned status) {
  return std::unexpected(ProviderRefusal{
      .word = "provider_error", .detail = fmt::format("status {}", status), .is_away = is_away(status)});
}

std::string form_of(const Pairs& pairs) {
  std::vector<oauth2::FormPair> views;
  views.reserve(pairs.size());
  for (const auto& [name, value] : pairs) views.emplace_back(name, value);
  return oauth2::to_form(views);
}

/// Where a provider of OAuth 2.0 that has no metadata has its endpoints.
oidc::ProviderMetadata fixed_metadata(const Provider& provider) {
  oidc::ProviderMetadata metadata;
  if (provider.preset->dialect == Dialect::github) {
    metadata.issuer = provider.issuer + "/login/oauth";  // what it calls itself (RFC 8414)
    metadata.authorization_endpoint = metadata.issuer + "/authorize";
    metadata.token_endpoint = metadata.issuer + "/access_token";
    metadata.client_authentications = {ClientAuthentication::post};
  } else {
    metadata.issuer = provider.issuer;
    metadata.authorization_endpoint = provider.issuer + "/oauth2/authorize";
    metadata.token_endpoint = provider.issuer + "/api/oauth2/token";
    metadata.client_authentications = {ClientAuthentication::basic};
  }
  return metadata;
}

std::string github_api(const Provider& provider) {
  return provider.issuer == provider.preset->issuer ? "https://api.github.com" : provider.issuer + "/api/v3";
}

ClientAuthentication choose_authentication(const Provider& provider, const oidc::ProviderMetadata& metadata) {
  if (provider.authentication) return *provider.authentication;
  if (provider.preset->signs_its_secret) return ClientAuthentication::post;
  if (provider.client_secret.empty()) return ClientAuthentication::private_key_jwt;
  const auto offers = [&](ClientAuthentication method) {
    const auto& offered = metadata.client_authentications;
    return std::ranges::find(offered, method) != offered.end();
  };
  // Basic is what a server that says nothing supports (Discovery §3).
  return !offers(ClientAuthentication::basic) && offers(ClientAuthentication::post)
             ? ClientAuthentication::post
             : ClientAuthentication::basic;
}

std::string make_secret(const Provider& provider, Time now) {
  if (!provider.preset->signs_its_secret) return std::string{provider.client_secret.text()};
  return oidc::make_apple_client_secret({.team_id = provider.team_id,
                                         .client_id = provider.client_id,
                                         .audience = provider.issuer,
                                         .issued_at = now},
                                        provider.key.value());
}

/// One key is not there, or none of this name: the provider may have new ones.
bool may_be_rotated(const jose::Refusal& refusal) { return refusal.reason == jose::Reason::unknown_key; }

}  // namespace

Task<Heard<ProviderConversation::Metadata>> ProviderConversation::read_metadata(const Provider* provider) {
  if (provider->preset->dialect != Dialect::openid) co_return fixed_metadata(*provider);
  auto document = co_await uses_.documents.get(oidc::metadata_url(provider->issuer), provider->trust);
  if (!document) co_return failed(document.error());
  auto metadata =
      oidc::parse_provider_metadata(**document, provider->issuer, provider->trust->clear_text_loopback);
  if (!metadata) co_return refused(metadata.error());
  co_return std::move(*metadata);
}

Task<Heard<std::string>> ProviderConversation::authorization_url(const Provider* provider,
                                                                 domain::ProviderLogin login,
                                                                 std::string state, std::string login_hint) {
  auto metadata = co_await read_metadata(provider);
  if (!metadata) co_return std::unexpected(std::move(metadata).error());
  const auto challenge = oauth2::challenge_s256(login.code_verifier);
  std::vector<oauth2::FormPair> pairs{{"response_type", "code"},
                                      {"client_id", provider->client_id},
                                      {"redirect_uri", provider->redirect_uri},
                                      {"scope", provider->scopes},
                                      {"state", state},
                                      {"code_challenge", challenge},
                                      {"code_challenge_method", oauth2::pkce_method}};
  if (provider->preset->dialect == Dialect::openid) pairs.emplace_back("nonce", login.nonce);
  if (provider->preset->answers_by_form) pairs.emplace_back("response_mode", "form_post");
  if (!login_hint.empty()) pairs.emplace_back("login_hint", login_hint);
  co_return oauth2::with_query(metadata->authorization_endpoint, pairs);
}

Task<Heard<oidc::Person>> ProviderConversation::find_person(const Provider* provider,
                                                            domain::ProviderLogin login, Brought brought) {
  auto metadata = co_await read_metadata(provider);
  if (!metadata) co_return std::unexpected(std::move(metadata).error());
  auto code = oauth2::check_callback(brought.parameters, {metadata->issuer, metadata->iss_parameter});
  if (!code) {
    auto refusal = refused(code.error());
    refusal.error().is_denial =
        brought.parameters.error == "access_denied" && code.error().reason == jose::Reason::provider_error;
    co_return refusal;
  }
  auto redeemed = co_await redeem(provider, *metadata, std::move(*code), std::move(login.code_verifier));
  if (!redeemed) co_return std::unexpected(std::move(redeemed).error());

  switch (provider->preset->dialect) {
    case Dialect::github:
      co_return co_await read_github(provider, std::move(redeemed->access_token));
    case Dialect::discord: {
      auto user =
          co_await get(provider, provider->issuer + "/api/users/@me", std::move(redeemed->access_token));
      if (!user) co_return std::unexpected(std::move(user).error());
      auto person = oidc::person_of_discord(*user);
      if (!person) co_return refused(person.error());
      co_return std::move(*person);
    }
    case Dialect::openid:
      break;
  }
  auto person =
      co_await read_id_token(provider, std::move(*metadata), std::move(login), std::move(*redeemed));
  if (person && person->name.empty() && !brought.user.empty())
    person->name = oidc::name_of_apple_user(brought.user);
  co_return person;
}

Task<Heard<ProviderConversation::Redeemed>> ProviderConversation::redeem(const Provider* provider,
                                                                         Metadata metadata, std::string code,
                                                                         std::string code_verifier) {
  Pairs pairs{{"grant_type", "authorization_code"},
              {"code", std::move(code)},
              {"redirect_uri", provider->redirect_uri},
              {"code_verifier", std::move(code_verifier)}};
  outbound::Request request{.url = metadata.token_endpoint, .trust = provider->trust};
  request.fields.push_back({"Accept", "application/json"});
  const auto now = uses_.clock.now();
  switch (choose_authentication(*provider, metadata)) {
    case ClientAuthentication::basic:
      request.fields.push_back(
          {"Authorization", oauth2::basic_credentials(provider->client_id, provider->client_secret)});
      break;
    case ClientAuthentication::post:
      pairs.emplace_back("client_id", provider->client_id);
      pairs.emplace_back("client_secret", make_secret(*provider, now));
      break;
    case ClientAuthentication::private_key_jwt: {
      const auto jti = Uuid::make_v7(now, uses_.random).to_string();
      // The issuer, which cannot be mistaken for another server's (RFC 7523bis); Microsoft wants its
      // endpoint.
      const auto& audience =
          provider->preset->type == "microsoft" ? metadata.token_endpoint : metadata.issuer;
      pairs.emplace_back("client_id", provider->client_id);
      pairs.emplace_back("client_assertion_type", oauth2::client_assertion_type);
      pairs.emplace_back(
          "client_assertion",
          oauth2::make_client_assertion({provider->client_id, audience, jti, now}, provider->key.value()));
      break;
    }
  }
  request.form = form_of(pairs);
  for (auto& pair : pairs) wipe(pair.second);

  auto answer = co_await uses_.client.send(std::move(request));
  if (!answer) co_return failed(answer.error());
  if (is_away(answer->status)) co_return bad_status(answer->status);
  auto tokens = oauth2::parse_token_answer(answer->status, answer->body);
  wipe(answer->body);
  if (!tokens) co_return refused(tokens.error());
  co_return Redeemed{std::move(tokens->access_token), std::move(tokens->id_token)};
}

Task<Heard<oidc::Person>> ProviderConversation::read_id_token(const Provider* provider, Metadata metadata,
                                                              domain::ProviderLogin login,
                                                              Redeemed redeemed) {
  if (redeemed.id_token.empty())
    co_return std::unexpected(
        ProviderRefusal{.word = "missing_claim", .detail = "the answer has no id_token"});
  auto document = co_await uses_.documents.get(metadata.jwks_uri, provider->trust);
  if (!document) co_return failed(document.error());
  const auto verify = [&](std::string_view key_set) -> jose::Checked<oidc::IdToken> {
    auto keys = jose::parse_jwk_set(key_set);
    if (!keys) return jose::refuse(jose::Reason::malformed, "key set: " + keys.error().message);
    return oidc::verify_id_token(redeemed.id_token, keys->keys,
                                 {.issuer = provider->issuer,
                                  .client_id = provider->client_id,
                                  .nonce = login.nonce,
                                  .algorithms = metadata.id_token_algorithms,
                                  .now = uses_.clock.now(),
                                  .access_token = redeemed.access_token.text(),
                                  .tenant = provider->tenant});
  };
  auto token = verify(**document);
  if (!token && may_be_rotated(token.error())) {
    document = co_await uses_.documents.get_newer(metadata.jwks_uri, provider->trust);
    if (!document) co_return failed(document.error());
    token = verify(**document);
  }
  if (!token) co_return refused(token.error());

  const auto spelling = provider->preset->verified;
  auto person = oidc::person_of(token->claims, spelling);
  if (!person) co_return refused(person.error());
  person->subject = token->subject;
  const bool is_complete = !person->email.empty() && person->email_verified;
  if (is_complete || metadata.userinfo_endpoint.empty()) co_return std::move(*person);
  auto told = co_await get(provider, metadata.userinfo_endpoint, std::move(redeemed.access_token));
  if (!told) co_return std::unexpected(std::move(told).error());
  auto more = oidc::person_of_userinfo(*told, token->subject, spelling);
  if (!more) co_return refused(more.error());
  co_return oidc::merged(std::move(*person), std::move(*more));
}

Task<Heard<std::string>> ProviderConversation::get(const Provider* provider, std::string url,
                                                   Secret access_token) {
  outbound::Request request{.url = std::move(url), .trust = provider->trust};
  request.fields.push_back({"Accept", "application/json"});
  request.fields.push_back({"Authorization", fmt::format("Bearer {}", access_token.text())});
  auto answer = co_await uses_.client.send(std::move(request));
  if (!answer) co_return failed(answer.error());
  if (answer->status != ok) co_return bad_status(answer->status);
  co_return std::move(answer->body);
}

Task<Heard<oidc::Person>> ProviderConversation::read_github(const Provider* provider, Secret access_token) {
  auto user = co_await get(provider, github_api(*provider) + "/user", access_token.copy());
  if (!user) co_return std::unexpected(std::move(user).error());
  auto emails =
      co_await get(provider, github_api(*provider) + "/user/emails?per_page=100", std::move(access_token));
  if (!emails) co_return std::unexpected(std::move(emails).error());
  auto person = oidc::person_of_github(*user, *emails);
  if (!person) co_return refused(person.error());
  co_return std::move(*person);
}

}  // namespace keyward::features
