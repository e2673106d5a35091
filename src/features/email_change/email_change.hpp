// EmailChange: a person's account gets another e-mail address, and whoever had the old one can undo it.
//
// POST /me/email {new_email, password} -> 200 {message, new_email}: a mail to the new address is to
//   confirm it, one to the old address warns, and can undo the change for 72 hours
//   -> 403 `Current password is wrong` (P7) · 422 · 429 as at login, or too many changes this hour
//
// POST /email-change/confirm {token} or {transaction, code} -> 200 {message} · 400 · 409 the address is taken
//
// POST /email-change/undo {token} -> 200 {message} · 400 · 409 the old address is another account's
//
// Threats: a stolen session (the password is asked for) · a thief who has the password as well (the old
// address is told before anything changes, and undoes it: the old address comes back, every session ends, the
// password is worth nothing, and a mail lets the owner choose another) · a thief who changes it twice, or
// changes the password too (each step can be undone to the address before it; nothing kills an undo but an
// earlier one, R3) · the old address registered by somebody else meanwhile (it is reserved while it can be
// gone back to) · telling whose addresses exist (the answer and the mails are the same in number when the
// new one is taken) · an address that is not theirs (nothing changes before a token that went there, R1).
#pragma once

#include <optional>
#include <string>

#include "access/signed_in.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/revisions/revisions.hpp"
#include "features/account_mails.hpp"
#include "features/asking.hpp"
#include "features/current_password.hpp"
#include "features/one_time_proof.hpp"
#include "features/requested_locale.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct EmailChangeForm {
  std::string new_email;
  Secret password;

  static constexpr auto checks() {
    return web::fields(
        web::field(&EmailChangeForm::new_email, web::Email{}, web::Example{"ada@new.example.com"}),
        web::field(&EmailChangeForm::password, web::WriteOnly{}, web::Description{"The current one"}));
  }
};
BOOST_DESCRIBE_STRUCT(EmailChangeForm, (), (new_email, password))

struct EmailChangeAsked {
  std::string message;
  std::string new_email;
};
BOOST_DESCRIBE_STRUCT(EmailChangeAsked, (), (message, new_email))

struct ConfirmForm {
  std::optional<Secret> token;
  std::optional<Secret> transaction;
  std::optional<Secret> code;

  static constexpr auto checks() { return one_time_proof_checks<ConfirmForm>(); }
};
BOOST_DESCRIBE_STRUCT(ConfirmForm, (), (token, transaction, code))

struct UndoForm {
  Secret token;

  static constexpr auto checks() {
    return web::fields(web::field(&UndoForm::token, web::WriteOnly{},
                                  web::MaxCodePoints{limits::one_time_token_max_bytes},
                                  web::Description{"Of the mail to the old address"}));
  }
};
BOOST_DESCRIBE_STRUCT(UndoForm, (), (token))

struct EmailChange {
  storage::Database& database;
  OneTimeProofs& proofs;
  CurrentPassword& current_password;
  const AccountMails& mails;
  domain::OneTimeTokens& one_time_tokens;
  domain::Revisions& revisions;
  domain::EventLog& events;
  const Clock& clock;

  Task<Result<EmailChangeAsked>> ask(access::SignedIn who, web::Body<EmailChangeForm> form,
                                     web::Client client, PresentedDevice device, RequestedLocale locale,
                                     web::AnswerHeaders headers);
  Task<Result<Message>> confirm(web::Public, web::Body<ConfirmForm, web::Unknown::ignored> form,
                                web::Client client, RequestedLocale locale, web::AnswerHeaders headers);
  Task<Result<Message>> undo(web::Public, web::Body<UndoForm, web::Unknown::ignored> form, web::Client client,
                             RequestedLocale locale, web::AnswerHeaders headers);

  // The same for the pages.
  Task<Result<void>> confirm_by(domain::Proof proof, web::Client client, RequestedLocale locale,
                                web::AnswerHeaders headers);
  Task<Result<void>> undo_by(Secret token, web::Client client, RequestedLocale locale,
                             web::AnswerHeaders headers);

 private:
  // In one transaction each, or not at all.
  Result<void> make_change(storage::Transaction& transaction, const domain::OneTimeToken& token,
                           const Asker& asker) const;
  Result<void> take_back(storage::Transaction& transaction, const domain::OneTimeToken& token,
                         const Asker& asker) const;
};

}  // namespace keyward::features
