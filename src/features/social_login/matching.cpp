#include "features/social_login/matching.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "domain/roles/permissions.hpp"
#include "domain/sessions/sessions.hpp"
#include "features/events.hpp"
#include "text/unicode.hpp"

namespace keyward::features {

namespace {

/// What the provider calls them, as far as it may be a full_name; the person can change it.
std::optional<std::string> to_full_name(std::string_view name) {
  auto line = text::to_nfc(text::to_one_line(text::to_storable_text(name, limits::provider_text_max_bytes)));
  if (!line || line->empty() || text::count_code_points(*line) > limits::full_name_max_code_points ||
      text::has_control_character(*line))
    return std::nullopt;
  return line;
}

std::unexpected<Error> refuse(const Provider& provider, std::string_view word) {
  const auto& name = provider.display_name;
  const auto with = [&](ErrorCode code, std::string message) {
    return fail(code, std::move(message), std::string{word});
  };
  if (word == "account_exists")
    return with(ErrorCode::conflict,
                fmt::format("An account with this address exists. Log in and connect {} there", name));
  if (word == "email_missing")
    return with(ErrorCode::forbidden, fmt::format("{} told no e-mail address", name));
  if (word == "email_unverified")
    return with(ErrorCode::forbidden, fmt::format("The e-mail address at {} is not verified", name));
  if (word == "sign_up_off")
    return with(ErrorCode::forbidden, fmt::format("No account is connected with {}", name));
  return with(ErrorCode::forbidden, "The account is disabled");
}

}  // namespace

Result<domain::Account> AccountMatching::match(storage::Transaction& transaction, const Provider& provider,
                                               const protocol::oidc::Person& person, const Asker& asker,
                                               Time now) const {
  const Arrival arrival{provider, person, asker, {provider.name, provider.issuer, person.subject}, now};
  const auto owner = domain::find_identity_owner(transaction, arrival.identity);
  return owner ? enter(transaction, arrival, *owner) : begin(transaction, arrival);
}

Result<domain::Account> AccountMatching::enter(storage::Transaction& transaction, const Arrival& arrival,
                                               const Uuid& account_id) const {
  auto account = domain::find_account(transaction, account_id);
  if (!account || account->disabled) return refuse(arrival.provider, "account_disabled");
  domain::note_identity_login(transaction, arrival.identity, arrival.person.email, arrival.now);
  if (uses_.needs_verified_email && !account->email_verified)
    return refuse(arrival.provider, "email_unverified");
  return std::move(*account);
}

Result<domain::Account> AccountMatching::begin(storage::Transaction& transaction,
                                               const Arrival& arrival) const {
  if (arrival.person.email.empty()) return refuse(arrival.provider, "email_missing");
  const auto email = text::parse_email(arrival.person.email);
  if (!email) return refuse(arrival.provider, "email_missing");
  if (!arrival.person.email_verified) return refuse(arrival.provider, "email_unverified");
  const auto owner = domain::find_account_by_email(transaction, email->normalized);
  if (owner && owner->disabled) return refuse(arrival.provider, "account_disabled");
  if (owner && owner->email_verified) {
    if (!arrival.provider.is_authoritative(*email, arrival.person))
      return refuse(arrival.provider, "account_exists");
    return connect(transaction, arrival, *owner);
  }
  if (!arrival.provider.sign_up) return refuse(arrival.provider, "sign_up_off");
  if (owner && !drop_claim(transaction, arrival, *owner)) return refuse(arrival.provider, "account_exists");
  return make_account(transaction, arrival, *email);
}

Result<domain::Account> AccountMatching::connect(storage::Transaction& transaction, const Arrival& arrival,
                                                 const domain::Account& owner) const {
  // The account has another identity of this provider: its owner is to say which.
  if (!domain::insert_identity(transaction, arrival.identity, owner.id, arrival.person.email, arrival.now))
    return refuse(arrival.provider, "account_exists");
  auto event = about("user_updated", arrival.asker.client, owner.id, "identity_connected");
  event.detail = arrival.provider.name;
  uses_.events.record(transaction, std::move(event));
  uses_.mails.tell_identity_connected(transaction, owner, arrival.provider.display_name, arrival.asker);
  // Whoever had a session may be somebody who registered the address before its owner, and had them confirm
  // it.
  const auto ended =
      domain::end_sessions(transaction, owner.id, std::nullopt, "identity_connected", arrival.now);
  record_ended(transaction, uses_.events, {ended, arrival.asker.client, owner.id, "identity_connected"});
  transaction.after_commit([this, id = owner.id] { uses_.revisions.bump_account(id); });
  return enter(transaction, arrival, owner.id);
}

bool AccountMatching::drop_claim(storage::Transaction& transaction, const Arrival& arrival,
                                 const domain::Account& claim) const {
  // Somebody who may give roles knows whose account it is.
  const auto roles = domain::list_roles(transaction, claim.id);
  if (std::ranges::any_of(roles, [](const auto& role) { return role != domain::role_user; })) return false;
  const auto ended = domain::end_sessions(transaction, claim.id, std::nullopt, "claim_replaced", arrival.now);
  record_ended(transaction, uses_.events, {ended, arrival.asker.client, claim.id, "claim_replaced"});
  if (!domain::delete_account(transaction, claim.id)) return false;
  uses_.mails.tell_account_deleted(transaction, claim, arrival.asker);
  auto event = about("user_deleted", arrival.asker.client, claim.id, "claim_replaced");
  event.email = claim.email;
  event.detail = arrival.provider.name;
  uses_.events.record(transaction, std::move(event));
  transaction.after_commit([this, id = claim.id] { uses_.revisions.bump_account(id); });
  return true;
}

Result<domain::Account> AccountMatching::make_account(storage::Transaction& transaction,
                                                      const Arrival& arrival,
                                                      const text::EmailAddress& email) const {
  const domain::NewAccount account{.id = Uuid::make_v7(arrival.now, uses_.random),
                                   .email = email,
                                   .full_name = to_full_name(arrival.person.name),
                                   .password_hash = std::nullopt,
                                   .email_verified = true,
                                   .created_at = arrival.now};
  // Taken by another account's right to go back to it.
  if (!domain::insert_account(transaction, account)) return refuse(arrival.provider, "account_exists");
  if (!domain::insert_identity(transaction, arrival.identity, account.id, arrival.person.email, arrival.now))
    return refuse(arrival.provider, "account_exists");
  auto event = about("user_created", arrival.asker.client, account.id, "provider");
  event.email = email.as_typed;
  event.detail = arrival.provider.name;
  uses_.events.record(transaction, std::move(event));
  return enter(transaction, arrival, account.id);
}

}  // namespace keyward::features
