#include "features/account_mails.hpp"

#include <fmt/format.h>

#include <chrono>

#include "domain/outbox/outgoing_mails.hpp"
#include "domain/sessions/device_name.hpp"
#include "features/events.hpp"

namespace keyward::features {

namespace {

using domain::TokenPurpose;
using mail::MailKind;

mail::Addressee to_addressee(const domain::Account& account, const Asker& asker) {
  return {.email = address_of(account),
          .full_name = account.full_name,
          .account_id = account.id,
          .locale = asker.locale};
}

}  // namespace

text::EmailAddress address_of(const domain::Account& account) {
  if (auto email = text::parse_email(account.email)) return std::move(*email);
  return {account.email, account.email};
}

bool AccountMails::is_within_limit(storage::Transaction& transaction, const Bound& bound,
                                   const Asker& asker) const {
  if (!uses_.mails_per_hour) return true;
  const auto since = uses_.clock.now() - std::chrono::hours{1};
  if (uses_.outbox.count_since(transaction, bound.to, bound.kind, since) < *uses_.mails_per_hour) return true;
  auto event = about("excess_rate_limit_exceeded", asker.client, bound.account_id, "account_mails");
  event.detail = to_string(bound.kind);
  // After the commit: a closure that is run again tells it once.
  transaction.after_commit([&events = uses_.events, event = std::move(event)] { events.emit(event); });
  return false;
}

mail::Link AccountMails::issue_link(storage::Transaction& transaction, const domain::NewOneTimeToken& wanted,
                                    std::string_view page) const {
  auto issued = uses_.tokens.issue(transaction, wanted, uses_.clock.now());
  return {.url = fmt::format("{}/account/{}?token={}", uses_.public_url, page, issued.token),
          .code = std::move(issued.code),
          .expires_at = issued.expires_at};
}

void AccountMails::send_verification(storage::Transaction& transaction, const domain::Account& account,
                                     const Asker& asker) const {
  if (!is_within_limit(transaction, {address_of(account), account.id, MailKind::verify_email}, asker)) return;
  const auto link = issue_link(transaction,
                               {.account_id = account.id,
                                .purpose = TokenPurpose::verify_email,
                                .email = address_of(account),
                                .transaction_hash = asker.transaction_hash},
                               "verify-email");
  uses_.outbox.enqueue(transaction, mail::verify_email(to_addressee(account, asker), link));
}

void AccountMails::send_reset(storage::Transaction& transaction, const domain::Account& account,
                              const Asker& asker) const {
  if (is_within_limit(transaction, {address_of(account), account.id, MailKind::reset_password}, asker))
    send_needed_reset(transaction, account, asker);
}

void AccountMails::send_needed_reset(storage::Transaction& transaction, const domain::Account& account,
                                     const Asker& asker) const {
  const auto link = issue_link(transaction,
                               {.account_id = account.id,
                                .purpose = TokenPurpose::reset_password,
                                .email = address_of(account),
                                .transaction_hash = asker.transaction_hash},
                               "reset-password");
  uses_.outbox.enqueue(transaction, mail::reset_password(to_addressee(account, asker), link));
}

bool AccountMails::send_already_registered(storage::Transaction& transaction, const domain::Account& account,
                                           const Asker& asker) const {
  if (!is_within_limit(transaction, {address_of(account), account.id, MailKind::already_registered}, asker))
    return false;
  uses_.outbox.enqueue(transaction,
                       mail::already_registered(to_addressee(account, asker),
                                                fmt::format("{}/account/forgot-password", uses_.public_url)));
  return true;
}

bool AccountMails::send_email_change(storage::Transaction& transaction, const domain::Account& account,
                                     const WantedChange& wanted, const Asker& asker) const {
  const auto old_email = address_of(account);
  const auto& new_email = wanted.new_email;
  if (!is_within_limit(transaction, {old_email, account.id, MailKind::email_change_warn}, asker))
    return false;
  const auto confirm = issue_link(transaction,
                                  {.account_id = account.id,
                                   .purpose = TokenPurpose::change_email,
                                   .email = new_email,
                                   .transaction_hash = asker.transaction_hash,
                                   .session_id = wanted.session_id},
                                  "confirm-email-change");
  const Bound bound{new_email, account.id, MailKind::email_change_confirm};
  if (const auto owner = domain::find_account_by_email(transaction, new_email.normalized)) {
    send_already_registered(transaction, *owner, asker);
  } else if (!domain::is_email_reserved(transaction, new_email.normalized, account.id, uses_.clock.now()) &&
             is_within_limit(transaction, bound, asker)) {
    auto addressee = to_addressee(account, asker);
    addressee.email = new_email;
    addressee.full_name.reset();  // whose words these are is not known yet
    uses_.outbox.enqueue(transaction, mail::email_change_confirm(std::move(addressee), old_email, confirm));
  }
  // Only who has shown that an address is theirs keeps others away from it.
  const auto undo = issue_link(transaction,
                               {.account_id = account.id,
                                .purpose = TokenPurpose::undo_email_change,
                                .email = old_email,
                                .reserves_email = account.email_verified},
                               "undo-email-change");
  uses_.outbox.enqueue(transaction, mail::email_change_warn(to_addressee(account, asker), new_email, undo));
  return true;
}

void AccountMails::tell_email_changed(storage::Transaction& transaction, const domain::Account& before,
                                      const text::EmailAddress& new_email, const Asker& asker) const {
  uses_.outbox.enqueue(transaction,
                       mail::email_changed(to_addressee(before, asker), new_email, occurrence_of(asker)));
}

void AccountMails::tell_account_deleted(storage::Transaction& transaction, const domain::Account& account,
                                        const Asker& asker) const {
  uses_.outbox.enqueue(transaction,
                       mail::account_deleted(to_addressee(account, asker), occurrence_of(asker)));
}

mail::Occurrence AccountMails::occurrence_of(const Asker& asker) const {
  return {.at = uses_.clock.now(),
          .device = domain::name_device(asker.client.user_agent),
          .address = asker.client.address};
}

void AccountMails::tell_password_changed(storage::Transaction& transaction, const domain::Account& account,
                                         const Asker& asker) const {
  uses_.outbox.enqueue(transaction,
                       mail::password_changed(to_addressee(account, asker), occurrence_of(asker)));
}

void AccountMails::tell_identity_connected(storage::Transaction& transaction, const domain::Account& account,
                                           std::string_view provider, const Asker& asker) const {
  uses_.outbox.enqueue(
      transaction, mail::identity_connected(to_addressee(account, asker), provider, occurrence_of(asker)));
}

void AccountMails::tell_identity_disconnected(storage::Transaction& transaction,
                                              const domain::Account& account, std::string_view provider,
                                              const Asker& asker) const {
  uses_.outbox.enqueue(
      transaction, mail::identity_disconnected(to_addressee(account, asker), provider, occurrence_of(asker)));
}

void AccountMails::tell_new_device(storage::Transaction& transaction, const domain::Account& account,
                                   const Asker& asker) const {
  if (!is_within_limit(transaction, {address_of(account), account.id, MailKind::new_device}, asker)) return;
  uses_.outbox.enqueue(transaction, mail::new_device(to_addressee(account, asker), occurrence_of(asker)));
}

void AccountMails::tell_login_after_failures(storage::Transaction& transaction,
                                             const domain::Account& account, const Asker& asker) const {
  if (!is_within_limit(transaction, {address_of(account), account.id, MailKind::login_after_failures}, asker))
    return;
  uses_.outbox.enqueue(transaction,
                       mail::login_after_failures(to_addressee(account, asker), occurrence_of(asker)));
}

void AccountMails::tell_session_ended_reuse(storage::Transaction& transaction, const domain::Account& account,
                                            const Asker& asker) const {
  if (!is_within_limit(transaction, {address_of(account), account.id, MailKind::session_ended_reuse}, asker))
    return;
  uses_.outbox.enqueue(transaction,
                       mail::session_ended_reuse(to_addressee(account, asker), occurrence_of(asker)));
}

}  // namespace keyward::features
