// Sessions: the signed-in person's own sessions, seen and ended.
//
// GET /me/sessions?limit=&after= -> 200 {items: [{id, device, user_agent, address, created_at, last_used_at,
//   expires_at, current}], next}, the newest first; live ones only
// DELETE /me/sessions      -> 204; every session but this one ends
// DELETE /me/sessions/{id} -> 204; that one ends (this one too, if it is named) · 404
//
// Threats: another person's session (the statement asks for the owner; an unknown id and a stranger's are one
// 404, S6) · an ended session that goes on until its access token expires (caches are told after the commit,
// S5) · an ended session that ends others (looked at once more inside the write) · what a client calls itself
// (shown in words of ours, and encoded).
#pragma once

#include <optional>
#include <string>

#include "access/signed_in.hpp"
#include "base/limits.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/revisions/revisions.hpp"
#include "domain/sessions/sessions.hpp"
#include "features/events.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct SessionView {
  Uuid id;
  std::string device;  // "Firefox on Linux"
  std::string user_agent;
  std::string address;  // where it was last used from
  Time created_at;
  Time last_used_at;  // by login or refresh
  Time expires_at;    // unless it is used before
  bool current = false;
};
BOOST_DESCRIBE_STRUCT(SessionView, (),
                      (id, device, user_agent, address, created_at, last_used_at, expires_at, current))

struct SessionQuery {
  std::int64_t limit = 20;
  std::optional<Uuid> after;

  static constexpr auto checks() {
    return web::fields(web::field(&SessionQuery::limit, web::MayBeAbsent{}, web::Minimum{1},
                                  web::Maximum{limits::session_page_max}),
                       web::field(&SessionQuery::after, web::Description{"`next` of the page before"}));
  }
};
BOOST_DESCRIBE_STRUCT(SessionQuery, (), (limit, after))

struct Sessions {
  storage::Database& database;
  domain::Revisions& revisions;
  domain::EventLog& events;
  const Clock& clock;

  Task<Result<web::Page<SessionView>>> list(access::SignedIn who, web::Query<SessionQuery> query);
  Task<Result<web::NoContent>> end_others(access::SignedIn who, web::Client client);
  Task<Result<web::NoContent>> end_one(access::SignedIn who, web::Path<"id", Uuid> id, web::Client client);
};

}  // namespace keyward::features
