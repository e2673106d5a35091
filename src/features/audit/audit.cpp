#include "features/audit/audit.hpp"

namespace keyward::features {

namespace {

AuditEventView view(domain::AuditRow row) {
  return {.time = row.occurred_at,
          .event = std::move(row.event),
          .user_id = row.account_id,
          .actor_id = row.actor_id,
          .session_id = row.session_id,
          .reason = std::move(row.reason),
          .detail = std::move(row.detail),
          .email = std::move(row.email),
          .address = std::move(row.address),
          .user_agent = std::move(row.user_agent),
          .request_id = std::move(row.request_id)};
}

}  // namespace

Task<Result<web::Page<AuditEventView>>> Audit::list(access::HasPermission<"audit:read"> /*who*/,
                                                    web::Query<AuditQuery> query) {
  std::optional<domain::AuditPosition> before;
  if (query->after) {
    before = domain::AuditPosition::parse(*query->after);
    if (!before) co_return fail_field("after", "is not the `next` of a page");
  }
  const domain::AuditFilter filter{.account_id = query->user_id,
                                   .event = query->event,
                                   .address = query->address,
                                   .since = query->since,
                                   .until = query->until};
  const auto limit = query->limit;
  // One row more than asked for tells whether there is a next page.
  auto rows = co_await database.read([filter, before, limit](storage::Transaction& transaction) {
    return domain::list_audit_events(transaction, filter, before, limit + 1);
  });
  web::Page<AuditEventView> page;
  if (rows.size() > static_cast<std::size_t>(limit)) {
    rows.pop_back();
    page.next = domain::AuditPosition::of(rows.back()).to_string();
  }
  for (auto& row : rows) page.items.push_back(view(std::move(row)));
  co_return page;
}

}  // namespace keyward::features
