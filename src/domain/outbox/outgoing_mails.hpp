// Outgoing mails: the rows of the outbox, and the SQL that knows them.
//
// A mail is inserted in the transaction of what it tells of, so there is one exactly when that happened. It
// is taken by one conditional UPDATE that also says until when it is taken: of any number of threads and
// nodes one gets it, and a mail whose taker died is due again when its lease ends. Threats: a token read from
// a stolen database (R1: what the template is filled with is sealed, and gone when the mail is sent) · a mail
// that is sent long after its link is dead (expires_at) · two takers that both finish (only the holder of the
// lease can).
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

namespace mail_state {
inline constexpr std::string_view waiting = "waiting";
inline constexpr std::string_view sent = "sent";
inline constexpr std::string_view failed = "failed";  // refused for good; `retry` takes it up again
inline constexpr std::string_view expired = "expired";
}  // namespace mail_state

struct NewOutgoingMail {
  Uuid id;
  std::string kind;
  std::string locale;
  std::optional<Uuid> account_id;
  std::string recipient;
  Bytes recipient_key;     // what mails to one address are counted by
  std::string message_id;  // without the angle brackets
  Bytes content_sealed;
  Time created_at;
  Time expires_at;
};

/// A row of `outgoing_mails`, as a list shows it: without its content.
struct OutgoingMail {
  Uuid id;
  std::string kind;
  std::string locale;
  std::string recipient;
  std::string state;
  Time created_at;
  Time expires_at;
  std::optional<Time> due_at;
  std::int64_t attempts = 0;
  std::optional<Time> finished_at;
  std::optional<std::string> last_error;
};
BOOST_DESCRIBE_STRUCT(OutgoingMail, (),
                      (id, kind, locale, recipient, state, created_at, expires_at, due_at, attempts,
                       finished_at, last_error))

/// A mail that the caller has until its lease ends.
struct ClaimedMail {
  Uuid id;
  std::string kind;
  std::string locale;
  std::string recipient;
  std::string message_id;
  std::optional<Bytes> content_sealed;
  Time created_at;
  Time expires_at;
  std::int64_t attempts = 0;  // this one included
};
BOOST_DESCRIBE_STRUCT(ClaimedMail, (),
                      (id, kind, locale, recipient, message_id, content_sealed, created_at, expires_at,
                       attempts))

/// Who has a mail, and until when. The id is drawn for each attempt.
struct MailLease {
  Uuid id;
  Time until;
};

void insert_outgoing_mail(storage::Transaction& transaction, const NewOutgoingMail& mail);

/// Takes the mail that is due for the longest time.
std::optional<ClaimedMail> claim_due_mail(storage::Transaction& transaction, Time now,
                                          const MailLease& lease);
/// Takes this mail if it is due.
std::optional<ClaimedMail> claim_mail(storage::Transaction& transaction, const Uuid& id, Time now,
                                      const MailLease& lease);
/// When the next mail can be taken; nothing when none waits.
std::optional<Time> find_next_due_mail(storage::Transaction& transaction);

/// What waits, and since when the oldest does.
struct MailQueue {
  std::int64_t waiting = 0;
  std::optional<Time> oldest_created_at;
};
BOOST_DESCRIBE_STRUCT(MailQueue, (), (waiting, oldest_created_at))
MailQueue read_mail_queue(storage::Transaction& transaction);

/// The taker needs the mail for longer. False: the lease is no longer the mail's.
[[nodiscard]] bool renew_mail_lease(storage::Transaction& transaction, const Uuid& id,
                                    const MailLease& lease);

/// The end of an attempt. Each returns false when the lease is no longer the mail's, and changes nothing
/// then. Of a mail about an account that is gone, neither recipient nor content is left.
[[nodiscard]] bool finish_mail(storage::Transaction& transaction, const Uuid& id, const Uuid& lease_id,
                               std::string_view state, Time now, const std::optional<std::string>& error);
[[nodiscard]] bool postpone_mail(storage::Transaction& transaction, const Uuid& id, const Uuid& lease_id,
                                 Time due_at, const std::string& error);

/// Mails of one kind to one address, whatever became of them.
std::int64_t count_mails_since(storage::Transaction& transaction, const Bytes& recipient_key,
                               std::string_view kind, Time since);

/// Something for sweep_mails.
bool has_stale_mails(storage::Transaction& transaction, Time now);
/// Erases the contents of mails that have expired and forgets mails that were over limits::mail_kept ago,
/// limits::session_sweep_max of each. Returns how many there were.
std::int64_t sweep_mails(storage::Transaction& transaction, Time now);

/// Nobody is named any more by what is over of an account's mails, and by what waits with a link: that is
/// dead with the account, and the mail expires. Notices that wait are sent all the same, and then finish_mail
/// does this.
void forget_mails_of_account(storage::Transaction& transaction, const Uuid& account_id);

/// Also true of a mail that nothing is known of any more.
bool is_mail_expired(storage::Transaction& transaction, const Uuid& id, Time now);

/// Newest first, those before `before` in that order; `state` empty: all.
std::vector<OutgoingMail> list_outgoing_mails(storage::Transaction& transaction, std::string_view state,
                                              const std::optional<Uuid>& before, std::int64_t limit);
std::optional<OutgoingMail> find_outgoing_mail(storage::Transaction& transaction, const Uuid& id);

/// Makes what waits or failed (all of it, or the one of this id) due now, unless it has expired or somebody
/// is sending it this moment. Returns how many.
std::int64_t retry_mails(storage::Transaction& transaction, const std::optional<Uuid>& id, Time now);

}  // namespace keyward::domain
