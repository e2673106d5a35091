// Audit: the security events, for those who may read them.
//
// GET /audit?user_id=&event=&address=&since=&until=&limit=&after= -> 200 {items, next}, newest first
//   -> 401 · 403 without the permission audit:read · 422 with every bad parameter
//
// `user_id` finds what was done to and by an account; `since` (inclusive) and `until` (exclusive) are RFC
// 3339. Threats: reading by those who may not (HasPermission, read when the token is used) · a cursor that is
// made up (it only says where to go on among rows that its holder may read anyway; anything else is 422) · a
// page without end (limits::page_max_items).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "access/has_permission.hpp"
#include "domain/audit/audit_reader.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct AuditQuery {
  std::optional<Uuid> user_id;
  std::optional<std::string> event;
  std::optional<std::string> address;
  std::optional<Time> since;
  std::optional<Time> until;
  std::int64_t limit = limits::page_default_items;
  std::optional<std::string> after;

  static constexpr auto checks() {
    return web::fields(
        web::field(&AuditQuery::user_id, web::Description{"Whom the events are about, or who did it"}),
        web::field(&AuditQuery::event, web::MaxCodePoints{64}, web::Example{"authn_login_fail"}),
        web::field(&AuditQuery::address, web::MaxCodePoints{64}, web::Description{"Of the client"}),
        web::field(&AuditQuery::since, web::Description{"RFC 3339, inclusive"}),
        web::field(&AuditQuery::until, web::Description{"RFC 3339, exclusive"}),
        web::field(&AuditQuery::limit, web::MayBeAbsent{}, web::Minimum{1},
                   web::Maximum{limits::page_max_items}),
        web::field(&AuditQuery::after, web::MaxCodePoints{64},
                   web::Description{"`next` of the page before"}));
  }
};
BOOST_DESCRIBE_STRUCT(AuditQuery, (), (user_id, event, address, since, until, limit, after))

struct AuditEventView {
  Time time;
  std::string event;
  std::optional<Uuid> user_id;
  std::optional<Uuid> actor_id;
  std::optional<Uuid> session_id;
  std::string reason;
  std::string detail;
  std::string email;
  std::string address;
  std::string user_agent;
  std::string request_id;
};
BOOST_DESCRIBE_STRUCT(AuditEventView, (),
                      (time, event, user_id, actor_id, session_id, reason, detail, email, address, user_agent,
                       request_id))

struct Audit {
  storage::Database& database;

  Task<Result<web::Page<AuditEventView>>> list(access::HasPermission<"audit:read">,
                                               web::Query<AuditQuery> query);
};

}  // namespace keyward::features
