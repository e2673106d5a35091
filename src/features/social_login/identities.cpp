#include "features/social_login/identities.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "domain/sessions/sessions.hpp"
#include "features/social_login/exchange.hpp"
#include "features/social_login/handover.hpp"
#include "protocol/oauth2/pkce.hpp"

namespace keyward::features {

namespace {

std::unexpected<Error> gone() {
  return fail(ErrorCode::invalid_token, "The access token is not valid", "account_gone");
}

/// What is asked about the account before it may have one more way in.
struct Standing {
  domain::Account account;
  bool is_connected = false;
  bool is_recent = false;  // the session
};

std::optional<Standing> find_standing(storage::Transaction& transaction, const access::Principal& who,
                                      const Provider& provider, Time now) {
  auto account = domain::find_account(transaction, who.account.id);
  if (!account) return std::nullopt;
  const bool recent = domain::is_session_begun_since(transaction, who.session_id, now - limits::recent_login);
  return Standing{std::move(*account),
                  domain::has_identity_of(transaction, who.account.id, provider.name, provider.issuer),
                  recent};
}

domain::SecurityEvent about_identity(const access::Principal& who, const web::Client& client,
                                     std::string_view reason, std::string detail) {
  auto event = about("user_updated", client, who.account.id, reason);
  event.session_id = who.session_id;
  event.detail = std::move(detail);
  return event;
}

}  // namespace

std::string Identities::display_name_of(std::string_view name) const {
  const auto* const provider = providers.find(name);
  return provider == nullptr ? std::string{name} : provider->display_name;
}

IdentityView Identities::to_view(domain::Identity identity) const {
  return {.provider = identity.provider,
          .display_name = display_name_of(identity.provider),
          .email = identity.email.empty() ? std::nullopt : std::optional{std::move(identity.email)},
          .connected_at = identity.connected_at,
          .last_login_at = identity.last_login_at};
}

Task<Result<web::Page<IdentityView>>> Identities::list(access::SignedIn who) {
  auto identities = co_await database.read([id = who->account.id](storage::Transaction& transaction) {
    return domain::list_identities(transaction, id);
  });
  web::Page<IdentityView> page;
  for (auto& identity : identities) page.items.push_back(to_view(std::move(identity)));
  co_return page;
}

Task<Result<ConnectBegun>> Identities::connect(access::SignedIn who, web::Path<"provider", std::string> name,
                                               web::OptionalBody<ConnectForm> form, web::Client client,
                                               PresentedDevice device, web::AnswerHeaders headers) {
  const auto provider = providers.get(*name);
  if (!provider) co_return std::unexpected(provider.error());
  auto handover =
      to_handover({form->return_to, form->code_challenge, form->code_challenge_method}, return_to_origins);
  if (!handover) co_return fail_from(handover);
  const auto now = clock.now();
  const auto standing = co_await database.read([&, now](storage::Transaction& transaction) {
    return find_standing(transaction, *who, **provider, now);
  });
  if (!standing) co_return gone();
  if (standing->is_connected)
    co_return fail(ErrorCode::conflict, fmt::format("{} is connected", (*provider)->display_name));
  if (!standing->account.email_verified)
    co_return fail(ErrorCode::forbidden, "The account's e-mail address is not verified yet");
  if (standing->account.password_hash) {
    if (!form->current_password) co_return fail_field("current_password", "is missing");
    auto known = co_await current_password.check({.account = standing->account,
                                                  .password = std::move(*form->current_password),
                                                  .client = client,
                                                  .device = std::move(device),
                                                  .headers = headers,
                                                  .field = "current_password",
                                                  .refusal_event = "authn_login_fail"});
    if (!known) co_return fail_from(known);
  } else if (!standing->is_recent) {
    co_return fail(ErrorCode::forbidden, "The login was too long ago. Log in again, then connect");
  }
  const auto ticket = logins.seal_ticket({.provider = *name,
                                          .handover = std::move(*handover),
                                          .connecting = {who->account.id, who->session_id},
                                          .expires_at = now + limits::provider_login_lifetime});
  co_return ConnectBegun{fmt::format("{}/auth/{}/login?ticket={}", public_url, *name, ticket),
                         std::chrono::duration_cast<seconds>(limits::provider_login_lifetime).count()};
}

Task<Result<web::Created<IdentityView>>> Identities::confirm(access::SignedIn who,
                                                             web::Path<"provider", std::string> name,
                                                             web::Body<ConfirmConnectForm> form,
                                                             web::Client client, RequestedLocale locale,
                                                             web::AnswerHeaders headers) {
  if (auto admitted = co_await limits.admit(domain::LimitClass::provider_address, client, headers); !admitted)
    co_return fail_from(admitted);
  const auto id = who->account.id;
  const Asker asker{std::move(client), std::move(locale.tag), std::nullopt};
  const auto refuse = [&](std::string_view why) {
    events.emit(about_identity(*who, asker.client, "identity_refused", fmt::format("{}: {}", *name, why)));
    return refuse_code(why);
  };
  // Used up first, whatever comes of it.
  const auto code = co_await database.write([&](storage::Transaction& transaction) {
    return domain::use_connect_code(transaction, form->code.text(), id, who->session_id, clock.now());
  });
  if (!code || code->provider != *name) co_return refuse("handover_code");
  const auto verifier = form->code_verifier ? form->code_verifier->text() : std::string_view{};
  if (!code->code_challenge.empty() && !protocol::oauth2::verifies(verifier, code->code_challenge))
    co_return refuse("code_verifier");

  auto connected =
      co_await database.write([&](storage::Transaction& transaction) -> Result<domain::Identity> {
        if (!domain::find_live_account(transaction, who->session_id, id, clock.now())) return gone();
        auto inserted = insert(transaction, *code, asker);
        if (inserted)
          events.record(transaction, about_identity(*who, asker.client, "identity_connected", *name));
        return inserted;
      });
  if (!connected && connected.error().code == ErrorCode::conflict)
    events.emit(about_identity(*who, asker.client, "identity_refused", *name + ": connected elsewhere"));
  if (!connected) co_return fail_from(connected);
  co_return web::Created<IdentityView>{to_view(std::move(*connected))};
}

Result<domain::Identity> Identities::insert(storage::Transaction& transaction,
                                            const domain::HandoverCode& code, const Asker& asker) const {
  const auto now = clock.now();
  if (!domain::insert_identity(transaction, code.identity(), code.account_id, code.email, now))
    return fail(ErrorCode::conflict,
                "This identity is connected with another account, or another one with this account");
  if (const auto account = domain::find_account(transaction, code.account_id))
    mails.tell_identity_connected(transaction, *account, display_name_of(code.provider), asker);
  return domain::Identity{code.provider, code.email, now, std::nullopt};
}

Task<Result<web::NoContent>> Identities::disconnect(access::SignedIn who,
                                                    web::Path<"provider", std::string> name,
                                                    web::Client client, RequestedLocale locale) {
  const auto id = who->account.id;
  const Asker asker{client, std::move(locale.tag), std::nullopt};
  auto removed = co_await database.write([&](storage::Transaction& transaction) -> Result<void> {
    if (!domain::find_live_account(transaction, who->session_id, id, clock.now())) return gone();
    if (auto gone_now = domain::remove_identity(transaction, id, *name); !gone_now) return gone_now;
    events.record(transaction, about_identity(*who, client, "identity_disconnected", *name));
    // Whoever came by it is gone as well (S5).
    const auto now = clock.now();
    const auto ended = domain::end_sessions(transaction, id, who->session_id, "identity_disconnected", now);
    record_ended(transaction, events, {ended, client, id, "identity_disconnected"});
    transaction.after_commit([this, id] { revisions.bump_account(id); });
    const auto account = domain::find_account(transaction, id);
    if (account) mails.tell_identity_disconnected(transaction, *account, display_name_of(*name), asker);
    return {};
  });
  if (!removed) co_return std::unexpected(removed.error());
  co_return web::NoContent{};
}

}  // namespace keyward::features
