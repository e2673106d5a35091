// Outbox: where a mail is put, in the transaction of what it tells of.
//
//   co_await database.write([…](storage::Transaction& transaction) {
//     …
//     outbox.enqueue(transaction, mail::password_changed(addressee, occurrence));
//   });
//
// The mail is there when the change is, and not otherwise; the sender takes it from there (sender.hpp).
// Threats: a link that works, read from a stolen database (R1: what the template is filled with is sealed
// under a sub-key of the master key) · a row that is changed to send its link to somebody else, as another
// kind of mail or later (id, kind, recipient and expiry are associated data) · lines and controls in values
// (they become spaces).
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "crypto/master_key.hpp"
#include "domain/outbox/outgoing_mails.hpp"
#include "mail/mails.hpp"
#include "runtime/doorbell.hpp"
#include "storage/transaction.hpp"

namespace keyward::mail {

struct OutboxSettings {
  std::string message_id_domain;  // of the sender's address
  std::string locale;             // where the addressee has none
};

class Outbox {
 public:
  Outbox(const crypto::MasterKey& master_key, const Clock& clock, Random& random, OutboxSettings settings);

  /// Returns the mail's id. Throws std::logic_error when the mail lacks a variable of its kind.
  Uuid enqueue(storage::Transaction& transaction, const Mail& mail);

  /// How many of a kind somebody was sent since then, whosever account they were about.
  std::int64_t count_since(storage::Transaction& transaction, const text::EmailAddress& to, MailKind kind,
                           Time since) const;

  /// What enqueue sealed. Error: it does not open with this master key.
  [[nodiscard]] Result<Variables> open(const domain::ClaimedMail& mail) const;

  [[nodiscard]] Doorbell& doorbell() { return doorbell_; }

 private:
  [[nodiscard]] Bytes recipient_key(const text::EmailAddress& to) const;

  Secret key_;
  Secret recipients_key_;
  const Clock& clock_;
  Random& random_;
  OutboxSettings settings_;
  Doorbell doorbell_;
};

/// One line of UTF-8 without controls, of limits::mail_value_max_bytes at most.
std::string to_value(std::string_view text);

}  // namespace keyward::mail
