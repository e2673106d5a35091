#include "domain/outbox/outgoing_mails.hpp"

#include "base/limits.hpp"

// One list for every statement that takes a mail, and one for every that shows it; the names are the
// structs'.
#define KEYWARD_CLAIMED_COLUMNS \
  "id, kind, locale, recipient, message_id, content_sealed, created_at, expires_at, attempts"
#define KEYWARD_MAIL_COLUMNS \
  "id, kind, locale, recipient, state, created_at, expires_at, due_at, attempts, finished_at, last_error"

namespace keyward::domain {

void insert_outgoing_mail(storage::Transaction& transaction, const NewOutgoingMail& mail) {
  transaction.execute(
      "INSERT INTO outgoing_mails (id, kind, locale, account_id, recipient, message_id, content_sealed, "
      "created_at, expires_at, state, due_at, attempts, recipient_key) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $8, 0, $10)",
      mail.id, mail.kind, mail.locale, mail.account_id, mail.recipient, mail.message_id, mail.content_sealed,
      mail.created_at, mail.expires_at, mail.recipient_key);
}

std::optional<ClaimedMail> claim_due_mail(storage::Transaction& transaction, Time now,
                                          const MailLease& lease) {
  // The condition stands twice: the inner one chooses, the outer one holds when another transaction took the
  // chosen mail in between.
  return transaction.find<ClaimedMail>(
      "UPDATE outgoing_mails SET lease = $2, due_at = $3, attempts = attempts + 1 WHERE due_at <= $1 AND id "
      "= "
      "(SELECT id FROM outgoing_mails WHERE due_at <= $1 ORDER BY due_at LIMIT 1) "
      "RETURNING " KEYWARD_CLAIMED_COLUMNS,
      now, lease.id, lease.until);
}

std::optional<ClaimedMail> claim_mail(storage::Transaction& transaction, const Uuid& id, Time now,
                                      const MailLease& lease) {
  return transaction.find<ClaimedMail>(
      "UPDATE outgoing_mails SET lease = $2, due_at = $3, attempts = attempts + 1 "
      "WHERE id = $4 AND due_at <= $1 RETURNING " KEYWARD_CLAIMED_COLUMNS,
      now, lease.id, lease.until, id);
}

std::optional<Time> find_next_due_mail(storage::Transaction& transaction) {
  return transaction.find<Time>(
      "SELECT due_at FROM outgoing_mails WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1");
}

MailQueue read_mail_queue(storage::Transaction& transaction) {
  return transaction.get<MailQueue>(
      "SELECT COUNT(*) AS waiting, MIN(created_at) AS oldest_created_at FROM outgoing_mails "
      "WHERE due_at IS NOT NULL");
}

bool renew_mail_lease(storage::Transaction& transaction, const Uuid& id, const MailLease& lease) {
  return transaction.execute(
             "UPDATE outgoing_mails SET due_at = $3 WHERE id = $1 AND lease = $2 AND state = 'waiting'", id,
             lease.id, lease.until) == 1;
}

bool finish_mail(storage::Transaction& transaction, const Uuid& id, const Uuid& lease_id,
                 std::string_view state, Time now, const std::optional<std::string>& error) {
  // What failed keeps its content, for whoever mends the cause and retries.
  const bool keep = state == mail_state::failed;
  const bool noted =
      transaction.execute(
          "UPDATE outgoing_mails SET state = $3, finished_at = $4, due_at = NULL, lease = NULL, "
          "content_sealed = CASE WHEN $5 THEN content_sealed END, last_error = COALESCE($6, last_error) "
          "WHERE id = $1 AND lease = $2 AND state = 'waiting'",
          id, lease_id, state, now, keep, error) == 1;
  if (noted) {
    transaction.execute(
        "UPDATE outgoing_mails SET recipient = '', content_sealed = NULL WHERE id = $1 AND account_id IS NOT "
        "NULL AND NOT EXISTS (SELECT 1 FROM accounts WHERE accounts.id = outgoing_mails.account_id)",
        id);
  }
  return noted;
}

bool postpone_mail(storage::Transaction& transaction, const Uuid& id, const Uuid& lease_id, Time due_at,
                   const std::string& error) {
  return transaction.execute(
             "UPDATE outgoing_mails SET due_at = $3, lease = NULL, last_error = $4 "
             "WHERE id = $1 AND lease = $2 AND state = 'waiting'",
             id, lease_id, due_at, error) == 1;
}

std::int64_t count_mails_since(storage::Transaction& transaction, const Bytes& recipient_key,
                               std::string_view kind, Time since) {
  return transaction.get<std::int64_t>(
      "SELECT count(*) FROM outgoing_mails WHERE recipient_key = $1 AND kind = $2 AND created_at > $3",
      recipient_key, kind, since);
}

bool has_stale_mails(storage::Transaction& transaction, Time now) {
  return transaction
             .find<Uuid>(
                 "SELECT id FROM outgoing_mails WHERE content_sealed IS NOT NULL AND expires_at <= $1 LIMIT "
                 "1",
                 now)
             .has_value() ||
         transaction
             .find<Uuid>("SELECT id FROM outgoing_mails WHERE finished_at < $1 LIMIT 1",
                         now - limits::mail_kept)
             .has_value();
}

std::int64_t sweep_mails(storage::Transaction& transaction, Time now) {
  const auto erased = transaction.execute(
      "UPDATE outgoing_mails SET content_sealed = NULL WHERE id IN (SELECT id FROM outgoing_mails WHERE "
      "content_sealed IS NOT NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2)",
      now, limits::session_sweep_max);
  const auto forgotten = transaction.execute(
      "DELETE FROM outgoing_mails WHERE id IN (SELECT id FROM outgoing_mails WHERE finished_at < $1 ORDER "
      "BY finished_at LIMIT $2)",
      now - limits::mail_kept, limits::session_sweep_max);
  return erased + forgotten;
}

void forget_mails_of_account(storage::Transaction& transaction, const Uuid& account_id) {
  // The rows stay: mails to an address are counted also when their account is gone.
  transaction.execute(
      "UPDATE outgoing_mails SET recipient = '', content_sealed = NULL, expires_at = created_at WHERE "
      "account_id = $1 AND (finished_at IS NOT NULL OR kind IN ('verify_email', 'reset_password', "
      "'email_change_confirm', 'email_change_warn'))",
      account_id);
}

bool is_mail_expired(storage::Transaction& transaction, const Uuid& id, Time now) {
  const auto expires_at = transaction.find<Time>("SELECT expires_at FROM outgoing_mails WHERE id = $1", id);
  return !expires_at || *expires_at <= now;
}

std::vector<OutgoingMail> list_outgoing_mails(storage::Transaction& transaction, std::string_view state,
                                              const std::optional<Uuid>& before, std::int64_t limit) {
  // The greatest of all UUIDs: every UUIDv7 sorts before it.
  Uuid last;
  last.bytes.fill(0xff);
  return transaction.list<OutgoingMail>("SELECT " KEYWARD_MAIL_COLUMNS
                                        " FROM outgoing_mails WHERE id < $1 AND ($2 = '' OR state = $2) "
                                        "ORDER BY id DESC LIMIT $3",
                                        before.value_or(last), state, limit);
}

std::optional<OutgoingMail> find_outgoing_mail(storage::Transaction& transaction, const Uuid& id) {
  return transaction.find<OutgoingMail>("SELECT " KEYWARD_MAIL_COLUMNS " FROM outgoing_mails WHERE id = $1",
                                        id);
}

std::int64_t retry_mails(storage::Transaction& transaction, const std::optional<Uuid>& id, Time now) {
  // A lease that still runs is left alone: its mail may be on its way this moment.
  if (id) {
    return transaction.execute(
        "UPDATE outgoing_mails SET state = 'waiting', due_at = $2, finished_at = NULL WHERE id = $1 AND "
        "expires_at > $2 AND ((state = 'failed' AND content_sealed IS NOT NULL) OR (state = 'waiting' AND "
        "(lease IS NULL OR due_at <= $2)))",
        *id, now);
  }
  return transaction.execute(
      "UPDATE outgoing_mails SET state = 'waiting', due_at = $1, finished_at = NULL WHERE expires_at > $1 "
      "AND "
      "((state = 'failed' AND content_sealed IS NOT NULL) OR (state = 'waiting' AND (lease IS NULL OR due_at "
      "<= $1)))",
      now);
}

}  // namespace keyward::domain
