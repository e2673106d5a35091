// AccountMails: the mails about an account, put into the outbox in the transaction of what they tell of.
//
// Threats: a link to somebody else's server (it is made of the configured public URL and of nothing that a
// request says, R4) · a mailbox flooded by a stranger who asks again and again (mails of one kind to one
// address are limited by the hour, in silence, A9, whosever account they are about; while it lasts, the last
// link stays good) · a mail whose language or words a stranger chooses (of the locale only what there are
// templates for; names: mails.hpp).
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "mail/outbox.hpp"
#include "web/message.hpp"

namespace keyward::features {

/// The call that a mail comes of.
struct Asker {
  web::Client client;
  std::string locale;                     // empty: the configured one
  std::optional<Bytes> transaction_hash;  // for a code in the mail
};

class AccountMails {
 public:
  struct Dependencies {
    mail::Outbox& outbox;
    domain::OneTimeTokens& tokens;
    domain::EventLog& events;
    const Clock& clock;
    std::string public_url;
    std::optional<std::int64_t> mails_per_hour;  // of one kind to one address; none: no limit
  };
  explicit AccountMails(Dependencies dependencies) : uses_(std::move(dependencies)) {}

  // With a link each, and a new token in it. They may be asked for by strangers, and so are limited.
  void send_verification(storage::Transaction& transaction, const domain::Account& account,
                         const Asker& asker) const;
  void send_reset(storage::Transaction& transaction, const domain::Account& account,
                  const Asker& asker) const;
  /// The same for somebody who has proved themselves, and needs it: not limited.
  void send_needed_reset(storage::Transaction& transaction, const domain::Account& account,
                         const Asker& asker) const;
  /// Somebody tried to register with (or change to) the address of this account. False: not this time.
  bool send_already_registered(storage::Transaction& transaction, const domain::Account& account,
                               const Asker& asker) const;

  /// Of a change that the account's owner (or whoever has the password) asked for: the new address is to
  /// confirm it, the old one is warned. False, and nothing: there were too many this hour.
  struct WantedChange {
    text::EmailAddress new_email;
    Uuid session_id;  // that goes on when it is confirmed
  };
  [[nodiscard]] bool send_email_change(storage::Transaction& transaction, const domain::Account& account,
                                       const WantedChange& wanted, const Asker& asker) const;

  // What has happened.
  void tell_password_changed(storage::Transaction& transaction, const domain::Account& account,
                             const Asker& asker) const;
  /// To the address that the account had until now.
  void tell_email_changed(storage::Transaction& transaction, const domain::Account& before,
                          const text::EmailAddress& new_email, const Asker& asker) const;
  void tell_account_deleted(storage::Transaction& transaction, const domain::Account& account,
                            const Asker& asker) const;
  void tell_identity_connected(storage::Transaction& transaction, const domain::Account& account,
                               std::string_view provider, const Asker& asker) const;
  void tell_identity_disconnected(storage::Transaction& transaction, const domain::Account& account,
                                  std::string_view provider, const Asker& asker) const;
  void tell_new_device(storage::Transaction& transaction, const domain::Account& account,
                       const Asker& asker) const;
  void tell_login_after_failures(storage::Transaction& transaction, const domain::Account& account,
                                 const Asker& asker) const;
  void tell_session_ended_reuse(storage::Transaction& transaction, const domain::Account& account,
                                const Asker& asker) const;

 private:
  struct Bound {
    text::EmailAddress to;
    Uuid account_id;
    mail::MailKind kind{};
  };
  [[nodiscard]] bool is_within_limit(storage::Transaction& transaction, const Bound& bound,
                                     const Asker& asker) const;
  mail::Link issue_link(storage::Transaction& transaction, const domain::NewOneTimeToken& wanted,
                        std::string_view page) const;
  [[nodiscard]] mail::Occurrence occurrence_of(const Asker& asker) const;
  Dependencies uses_;
};

/// The address to write to; an account's is always one.
text::EmailAddress address_of(const domain::Account& account);

}  // namespace keyward::features
