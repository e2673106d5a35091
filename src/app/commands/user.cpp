// keyward user add | list | show | role | disable | enable | delete
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "app/commands/command.hpp"
#include "app/setup_token_file.hpp"
#include "base/limits.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/passwords/password_policy.hpp"
#include "domain/roles/roles.hpp"
#include "domain/sessions/sessions.hpp"
#include "text/email.hpp"
#include "text/unicode.hpp"

namespace keyward::app {

namespace json = boost::json;

namespace {

struct ShownAccount {
  domain::Account account;
  std::vector<std::string> roles;
};

json::object to_json(const ShownAccount& shown) {
  const auto& account = shown.account;
  json::object object;
  object["id"] = account.id.to_string();
  object["email"] = account.email;
  object["email_verified"] = account.email_verified;
  object["full_name"] = account.full_name ? json::value(*account.full_name) : json::value(nullptr);
  object["roles"] = json::value_from(shown.roles);
  object["disabled"] = account.disabled;
  object["created_at"] = to_rfc3339(account.created_at);
  object["last_login_at"] =
      account.last_login_at ? json::value(to_rfc3339(*account.last_login_at)) : json::value(nullptr);
  return object;
}

std::string to_line(const ShownAccount& shown) {
  const auto& account = shown.account;
  return fmt::format("{}  {}  {}{}", account.id.to_string(), account.email, fmt::join(shown.roles, ","),
                     account.disabled ? "  (disabled)" : "");
}

void print(const CommonFlags& flags, const ShownAccount& shown) {
  fmt::print("{}\n", flags.json ? json::serialize(to_json(shown)) : to_line(shown));
}

/// By e-mail address or id.
std::optional<domain::Account> find_account(storage::Transaction& transaction, const std::string& who) {
  if (const auto id = Uuid::parse(who)) return domain::find_account(transaction, *id);
  const auto email = text::parse_email(who);
  return email ? domain::find_account_by_email(transaction, email->normalized) : std::nullopt;
}

/// Who stands at the command line has no account: the events of these commands have no actor.
domain::SecurityEvent by_command(std::string_view name, const Uuid& account_id, std::string detail = {}) {
  return {.name = name, .account_id = account_id, .reason = "command_line", .detail = std::move(detail)};
}

/// Finds the account, lets `change` (which returns Result<void>) work on it in the same transaction, and
/// tells the servers on this data folder.
template <class Change>
Result<domain::Account> change_account(Core& core, const std::string& who, Change change) {
  return core.database->blocking_write([&](storage::Transaction& transaction) -> Result<domain::Account> {
    auto account = find_account(transaction, who);
    if (!account) return fail(ErrorCode::not_found, "There is no user " + who);
    if (Result<void> changed = change(transaction, *account); !changed) return fail_from(changed);
    transaction.after_commit([&core, id = account->id] { core.revisions->bump_account(id); });
    return std::move(*account);
  });
}

/// The first line of standard input, without its end.
Secret read_password() {
  std::string line;
  std::getline(std::cin, line);
  if (line.ends_with('\r')) line.pop_back();
  return Secret::take(line);
}

std::string to_sentence(const Error& error) {
  auto sentence = error.message;
  for (const auto& field : error.fields) sentence += fmt::format("; {} {}", field.field, field.message);
  return sentence;
}

Result<void> blocking_check_role(Core& core, const std::string& name) {
  const bool known = core.database->blocking_read(
      [&](storage::Transaction& transaction) { return domain::find_role(transaction, name).has_value(); });
  if (!known) return fail(ErrorCode::invalid_input, "There is no role " + name);
  return {};
}

/// Once there is an admin nobody needs the setup token any more, and it is dead.
void remove_setup_token(const CommonFlags& flags, Core& core) {
  if (!core.database->blocking_read(domain::has_any_admin)) return;
  if (const auto config = load_config_or_complain(flags)) remove_setup_token_file(setup_token_path(*config));
}

Result<domain::NewAccount> make_account(const Config& config, Core& core, const NewUserFlags& user) {
  auto email = text::parse_email(user.email);
  if (!email) return fail_from(email);
  const auto shown_name = user.name.value_or("");
  if (!text::is_utf8(shown_name) || text::has_control_character(shown_name) ||
      text::count_code_points(shown_name) > limits::full_name_max_code_points) {
    return fail(ErrorCode::invalid_input, fmt::format("The name must be text of at most {} characters",
                                                      limits::full_name_max_code_points));
  }
  domain::NewAccount account{.id = Uuid::make_v7(core.clock.now(), core.random),
                             .email = std::move(*email),
                             .full_name = user.name,
                             .password_hash = {},
                             .email_verified = true,  // on the operator's word
                             .created_at = core.clock.now()};
  for (const auto& role : user.roles) {
    if (auto known = blocking_check_role(core, role); !known) return fail_from(known);
    if (std::ranges::find(account.roles, role) == account.roles.end()) account.roles.push_back(role);
  }
  const auto name = user.name.value_or("");
  auto password = domain::prepare_password(read_password());
  if (!password) return fail_from(password);
  auto good = domain::blocking_check_new_password(*password, to_password_policy(config),
                                                  {.email = account.email.as_typed, .full_name = name});
  if (!good) return fail_from(good);
  account.password_hash = crypto::blocking_hash_password(*password, to_hasher_options(config).argon2);
  return account;
}

}  // namespace

int user_add(const CommonFlags& flags, const NewUserFlags& user) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  auto core = Core::open(*config);
  if (!core) return complain(core.error().message);
  const auto account = make_account(*config, **core, user);
  if (!account) return complain(to_sentence(account.error()));
  const bool inserted = (*core)->database->blocking_write([&](storage::Transaction& transaction) {
    if (!domain::insert_account(transaction, *account)) return false;
    auto event =
        by_command("user_created", account->id, fmt::format("roles {}", fmt::join(account->roles, " ")));
    event.email = account->email.as_typed;
    (*core)->events->record(transaction, std::move(event));
    if (std::ranges::find(account->roles, domain::role_admin) != account->roles.end())
      (*core)->events->record(transaction, by_command("authz_admin", account->id));
    return true;
  });
  if (!inserted) return complain("There is a user " + user.email + " already");
  remove_setup_token(flags, **core);
  if (flags.json) {
    fmt::print("{}\n", json::serialize(json::object{{"id", account->id.to_string()},
                                                    {"email", account->email.as_typed}}));
  } else {
    fmt::print("{}\n", account->id.to_string());
  }
  return exit_done;
}

int user_list(const CommonFlags& flags, const UserListFlags& wanted) {
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  const auto after_id = Uuid::parse(wanted.after);
  if (!wanted.after.empty() && !after_id) return complain("--after takes the id of a user");
  const auto page = core->database->blocking_read([&](storage::Transaction& transaction) {
    auto found = domain::list_accounts(transaction,
                                       {.email_prefix = text::normalize_email_prefix(wanted.search),
                                        .role = wanted.role,
                                        .disabled = wanted.disabled ? std::optional{true} : std::nullopt},
                                       after_id, wanted.limit);
    std::vector<ShownAccount> shown;
    for (auto& account : found.items) {
      auto roles = domain::list_roles(transaction, account.id);
      shown.push_back({std::move(account), std::move(roles)});
    }
    return std::pair{std::move(shown), found.next};
  });
  if (!flags.json) {
    for (const auto& shown : page.first) print(flags, shown);
    if (page.second) fmt::print(stderr, "There are more: --after {}\n", page.second->to_string());
    return exit_done;
  }
  json::array items;
  for (const auto& shown : page.first) items.push_back(to_json(shown));
  const json::object answer{
      {"items", std::move(items)},
      {"next", page.second ? json::value(page.second->to_string()) : json::value(nullptr)}};
  fmt::print("{}\n", json::serialize(answer));
  return exit_done;
}

int user_show(const CommonFlags& flags, const std::string& who) {
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  const auto shown =
      core->database->blocking_read([&](storage::Transaction& transaction) -> std::optional<ShownAccount> {
        auto account = find_account(transaction, who);
        if (!account) return std::nullopt;
        auto roles = domain::list_roles(transaction, account->id);
        return ShownAccount{std::move(*account), std::move(roles)};
      });
  if (!shown) return complain("There is no user " + who);
  print(flags, *shown);
  return exit_done;
}

int user_set_disabled(const CommonFlags& flags, const std::string& who, bool disabled) {
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  const auto now = core->clock.now();
  const auto changed =
      change_account(*core, who, [&](storage::Transaction& transaction, const domain::Account& account) {
        // Enabling brings no old session back: whoever was let in before has to log in again.
        const auto ended =
            disabled ? domain::end_sessions(transaction, account.id, std::nullopt, "account_disabled", now)
                     : 0;
        auto set = domain::set_disabled(transaction, account.id, disabled, now);
        if (!set) return set;
        core->events->record(transaction,
                             by_command("user_updated", account.id, disabled ? "disabled" : "enabled"));
        if (ended != 0) {
          core->events->record(
              transaction, by_command("authn_token_revoked", account.id, fmt::format("sessions {}", ended)));
        }
        return set;
      });
  if (!changed) return complain(changed.error().message);
  return exit_done;
}

int user_delete(const CommonFlags& flags, const std::string& who) {
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  const auto deleted =
      change_account(*core, who, [&](storage::Transaction& transaction, const domain::Account& account) {
        auto gone = domain::delete_account(transaction, account.id);
        if (!gone) return gone;
        auto event = by_command("user_deleted", account.id);
        event.email = account.email;
        core->events->record(transaction, std::move(event));
        return gone;
      });
  if (!deleted) return complain(deleted.error().message);
  return exit_done;
}

int user_role(const CommonFlags& flags, const std::string& who, const UserRoleFlags& wanted) {
  if (wanted.add.empty() && wanted.remove.empty()) {
    complain("Say which: --add NAME or --remove NAME");
    return exit_usage;
  }
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  for (const auto& role : wanted.add) {
    if (const auto known = blocking_check_role(*core, role); !known) return complain(known.error().message);
  }
  const auto now = core->clock.now();
  const auto changed = change_account(
      *core, who, [&](storage::Transaction& transaction, const domain::Account& account) -> Result<void> {
        const auto held = domain::list_roles(transaction, account.id);
        auto roles = held;
        roles.insert(roles.end(), wanted.add.begin(), wanted.add.end());
        for (const auto& role : wanted.remove) std::erase(roles, role);
        const auto change = domain::compare_roles(held, std::move(roles));
        if (change.empty()) return {};
        if (auto done = domain::change_roles(transaction, account.id, change, now); !done) return done;
        for (auto& detail : change.details())
          core->events->record(transaction, by_command("authz_change", account.id, std::move(detail)));
        return {};
      });
  if (!changed) return complain(changed.error().message);
  remove_setup_token(flags, *core);
  return exit_done;
}

}  // namespace keyward::app
