#include "features/admin_users/admin_users.hpp"

#include "domain/roles/roles.hpp"
#include "text/email.hpp"

namespace keyward::features {

namespace {

std::unexpected<Error> no_such_user() { return fail(ErrorCode::not_found, "There is no such user"); }

AdminUserView view(domain::Account account, std::vector<std::string> roles) {
  return {account.id,       std::move(account.email), account.email_verified, std::move(account.full_name),
          std::move(roles), account.disabled,         account.created_at,     account.last_login_at};
}

std::optional<AdminUserView> find_view(storage::Transaction& transaction, const Uuid& id) {
  auto account = domain::find_account(transaction, id);
  if (!account) return std::nullopt;
  return view(std::move(*account), domain::read_rights(transaction, id).roles);
}

Result<void> check_not_null(const UserChange& form) {
  if (form.disabled.is_null()) return fail_field("disabled", "must be true or false");
  if (form.roles.is_null()) return fail_field("roles", "must be a list");
  return {};
}

}  // namespace

Task<Result<web::Page<AdminUserView>>> AdminUsers::list(access::HasPermission<"users:read">,
                                                        web::Query<UserSearch> search) {
  co_return co_await database.read([search = *search](
                                       storage::Transaction& transaction) -> web::Page<AdminUserView> {
    auto found = domain::list_accounts(transaction,
                                       {.email_prefix = text::normalize_email_prefix(search.q.value_or("")),
                                        .role = search.role.value_or(""),
                                        .disabled = search.disabled},
                                       search.after, search.limit);
    web::Page<AdminUserView> page;
    for (auto& account : found.items) {
      auto roles = domain::read_rights(transaction, account.id).roles;
      page.items.push_back(view(std::move(account), std::move(roles)));
    }
    if (found.next) page.next = found.next->to_string();
    return page;
  });
}

Task<Result<AdminUserView>> AdminUsers::show(access::HasPermission<"users:read">, UserId id) {
  auto found = co_await database.read(
      [id = *id](storage::Transaction& transaction) { return find_view(transaction, id); });
  if (!found) co_return no_such_user();
  co_return std::move(*found);
}

Result<void> AdminUsers::change_disabled(storage::Transaction& transaction, const access::Principal& who,
                                         const domain::Account& account, bool disabled,
                                         const web::Client& client, Time now) {
  if (account.disabled == disabled) return {};
  if (auto set = domain::set_disabled(transaction, account.id, disabled, now); !set) return set;
  events.record(transaction,
                by_admin("user_updated", who, client, account.id, disabled ? "disabled" : "enabled"));
  if (!disabled) return {};
  // Enabling brings no old session back: whoever was let in before has to log in again.
  const auto ended = domain::end_sessions(transaction, account.id, std::nullopt, "account_disabled", now);
  if (ended == 0) return {};
  auto event = by_admin("authn_token_revoked", who, client, account.id, "sessions " + std::to_string(ended));
  event.reason = "account_disabled";
  events.record(transaction, std::move(event));
  return {};
}

Result<void> AdminUsers::change_roles(storage::Transaction& transaction, const access::Principal& who,
                                      domain::PermissionSet own, const Uuid& account_id,
                                      const std::vector<std::string>& wanted, const web::Client& client,
                                      Time now) {
  const auto change = domain::compare_roles(domain::read_rights(transaction, account_id).roles, wanted);
  if (change.empty()) return {};
  if (auto allowed = domain::check_has(own, "roles:grant"); !allowed) return allowed;
  for (const auto& name : change.added) {
    const auto role = domain::find_role(transaction, name);
    if (!role) return fail_field("roles", "there is no role " + name);
    if (auto allowed = domain::check_may_grant(own, name, role->permissions); !allowed) return allowed;
  }
  if (auto changed = domain::change_roles(transaction, account_id, change, now); !changed) return changed;
  for (auto& detail : change.details())
    events.record(transaction, by_admin("authz_change", who, client, account_id, std::move(detail)));
  return {};
}

Result<AdminUserView> AdminUsers::change_now(storage::Transaction& transaction, const access::Principal& who,
                                             const Uuid& id, const UserChange& form,
                                             const web::Client& client, Time now) {
  const auto own = check_acting(transaction, who, "users:write", now);
  if (!own) return std::unexpected(own.error());
  const auto account = domain::find_account(transaction, id);
  if (!account) return no_such_user();
  const auto theirs = domain::read_rights(transaction, id).permissions;
  if (auto allowed = domain::check_may_change_account(*own, theirs); !allowed) return fail_from(allowed);

  transaction.after_commit([this, id] { revisions.bump_account(id); });
  if (!form.full_name.absent() && form.full_name.as_optional() != account->full_name) {
    if (!domain::set_full_name(transaction, id, form.full_name.as_optional(), now)) return no_such_user();
    events.record(transaction, by_admin("user_updated", who, client, id, "full_name"));
  }
  // Roles before `disabled`: whoever gives up both asks for two changes, and each is looked at by itself.
  if (form.roles.has_value()) {
    if (auto changed = change_roles(transaction, who, *own, id, *form.roles, client, now); !changed)
      return fail_from(changed);
  }
  if (form.disabled.has_value()) {
    if (auto changed = change_disabled(transaction, who, *account, *form.disabled, client, now); !changed)
      return fail_from(changed);
  }
  return find_view(transaction, id).value();
}

Task<Result<AdminUserView>> AdminUsers::change(access::HasPermission<"users:write"> who, UserId id,
                                               web::Body<UserChange> form, web::Client client) {
  if (auto good = check_not_null(*form); !good) co_return fail_from(good);
  auto changed = co_await database.write([&, now = clock.now()](storage::Transaction& transaction) {
    return change_now(transaction, *who, *id, *form, client, now);
  });
  if (!changed) co_return refuse_acting(events, *who, client, *id, std::move(changed).error());
  co_return std::move(*changed);
}

Task<Result<UserDeleted>> AdminUsers::remove(access::HasPermission<"users:delete"> who, UserId id,
                                             web::Client client) {
  auto deleted =
      co_await database.write([&, now = clock.now()](storage::Transaction& transaction) -> Result<void> {
        const auto own = check_acting(transaction, *who, "users:delete", now);
        if (!own) return std::unexpected(own.error());
        const auto account = domain::find_account(transaction, *id);
        if (!account) return no_such_user();
        const auto theirs = domain::read_rights(transaction, *id).permissions;
        if (auto allowed = domain::check_may_change_account(*own, theirs); !allowed) return allowed;
        if (auto gone = domain::delete_account(transaction, *id); !gone) return gone;
        transaction.after_commit([this, id = *id] { revisions.bump_account(id); });
        auto event = by_admin("user_deleted", *who, client, *id);
        event.email = account->email;
        events.record(transaction, std::move(event));
        return {};
      });
  if (!deleted) co_return refuse_acting(events, *who, client, *id, std::move(deleted).error());
  co_return UserDeleted{"User deleted"};
}

}  // namespace keyward::features
