#include "features/sessions/sessions.hpp"

#include <utility>

#include "domain/sessions/device_name.hpp"

namespace keyward::features {

namespace {

SessionView view(domain::Session session, const Uuid& current) {
  return {.id = session.id,
          .device = domain::name_device(session.user_agent),
          .user_agent = std::move(session.user_agent),
          .address = std::move(session.address),
          .created_at = session.created_at,
          .last_used_at = session.last_used_at,
          .expires_at = session.idle_expires_at,  // never later than the absolute end
          .current = session.id == current};
}

/// What the access check saw, once more inside the write.
bool may_write(storage::Transaction& transaction, const access::Principal& who, Time now) {
  return domain::find_live_account(transaction, who.session_id, who.account.id, now).has_value();
}

std::unexpected<Error> gone() {
  return fail(ErrorCode::invalid_token, "The access token is not valid", "session_ended");
}

}  // namespace

Task<Result<web::Page<SessionView>>> Sessions::list(access::SignedIn who, web::Query<SessionQuery> query) {
  auto page = co_await database.read([&, now = clock.now()](storage::Transaction& transaction) {
    return domain::list_sessions(transaction, who->account.id, query->after, query->limit, now);
  });
  web::Page<SessionView> answer;
  answer.items.reserve(page.items.size());
  for (auto& session : page.items) answer.items.push_back(view(std::move(session), who->session_id));
  if (page.next) answer.next = page.next->to_string();
  co_return answer;
}

Task<Result<web::NoContent>> Sessions::end_others(access::SignedIn who, web::Client client) {
  const bool done = co_await database.write([&, now = clock.now()](storage::Transaction& transaction) {
    if (!may_write(transaction, *who, now)) return false;
    const auto id = who->account.id;
    if (domain::end_sessions(transaction, id, who->session_id, "ended_by_owner", now) == 0) return true;
    auto event = about("authn_token_revoked", client, id, "other_sessions_ended_by_owner");
    event.session_id = who->session_id;
    events.record(transaction, std::move(event));
    transaction.after_commit([this, id] { revisions.bump_account(id); });
    return true;
  });
  if (!done) co_return gone();
  co_return web::NoContent{};
}

Task<Result<web::NoContent>> Sessions::end_one(access::SignedIn who, web::Path<"id", Uuid> id,
                                               web::Client client) {
  auto done =
      co_await database.write([&, now = clock.now()](storage::Transaction& transaction) -> Result<void> {
        if (!may_write(transaction, *who, now)) return gone();
        const auto owner = who->account.id;
        if (!domain::end_session(transaction, *id, owner, "ended_by_owner", now)) {
          return fail(ErrorCode::not_found, "There is no such session");
        }
        auto event = about("authn_token_revoked", client, owner, "ended_by_owner");
        event.session_id = *id;
        events.record(transaction, std::move(event));
        transaction.after_commit([this, owner] { revisions.bump_account(owner); });
        return {};
      });
  if (!done) co_return std::unexpected(done.error());
  co_return web::NoContent{};
}

}  // namespace keyward::features
