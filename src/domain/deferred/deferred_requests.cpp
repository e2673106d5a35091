#include "domain/deferred/deferred_requests.hpp"

#include "base/limits.hpp"

#define KEYWARD_DEFERRED_COLUMNS                                                                        \
  "id, kind, email, transaction_hash, locale, address, user_agent, request_id, account_id, full_name, " \
  "password_hash, due_at, expires_at"

namespace keyward::domain {

void DeferredRequests::add(storage::Transaction& transaction, const DeferredRequest& request) {
  const auto now = clock_.now();
  const auto drawn = random_.bytes<1>().front();
  const microseconds longer = limits::deferred_delay * drawn / 255;
  transaction.execute("INSERT INTO deferred_requests (" KEYWARD_DEFERRED_COLUMNS
                      ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                      Uuid::make_v7(now, random_), request.kind, request.email, request.transaction_hash,
                      request.locale, request.address, request.user_agent, request.request_id,
                      request.account_id, request.full_name, request.password_hash,
                      now + limits::deferred_delay + longer, now + limits::deferred_lifetime);
  transaction.after_commit([this] { doorbell_.ring(); });
}

std::optional<DeferredRequest> take_due_request(storage::Transaction& transaction, Time now) {
  return transaction.find<DeferredRequest>(
      "DELETE FROM deferred_requests WHERE id = (SELECT id FROM deferred_requests WHERE due_at <= $1 "
      "ORDER BY due_at, id LIMIT 1) RETURNING " KEYWARD_DEFERRED_COLUMNS,
      now);
}

std::optional<Time> find_next_due_request(storage::Transaction& transaction) {
  return transaction.find<Time>("SELECT due_at FROM deferred_requests ORDER BY due_at LIMIT 1");
}

void postpone_due_request(storage::Transaction& transaction, Time now) {
  transaction.execute("DELETE FROM deferred_requests WHERE due_at <= $1 AND expires_at <= $1", now);
  transaction.execute(
      "UPDATE deferred_requests SET due_at = $2 WHERE id = (SELECT id FROM deferred_requests "
      "WHERE due_at <= $1 ORDER BY due_at, id LIMIT 1)",
      now, now + limits::deferred_retry);
}

}  // namespace keyward::domain
