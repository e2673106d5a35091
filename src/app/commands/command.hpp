// Commands: what `keyward …` does, one function each. They print data on standard output and sentences for
// people on standard error, and return the exit code: 0 done, 1 failed, 2 wrong usage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/core.hpp"

namespace keyward::app {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

/// What every command takes.
struct CommonFlags {
  std::filesystem::path config_file;
  std::map<std::string, std::string, std::less<>> settings;  // "storage.data" -> value, from flags
  bool json = false;
};

/// The settings in force; prints every error and returns nothing when there are any.
std::optional<Config> load_config_or_complain(const CommonFlags& flags);
/// The same with the data opened.
std::unique_ptr<Core> open_core_or_complain(const CommonFlags& flags);
/// Prints `keyward: sentence` and returns exit_failed.
int complain(std::string_view sentence);

int serve(const CommonFlags& flags);

struct NewUserFlags {
  std::string email;
  std::optional<std::string> name;
  std::vector<std::string> roles;
};
int user_add(const CommonFlags& flags, const NewUserFlags& user);
struct UserListFlags {
  std::int64_t limit = 100;
  std::string after, search, role;
  bool disabled = false;
};
int user_list(const CommonFlags& flags, const UserListFlags& wanted);
int user_show(const CommonFlags& flags, const std::string& who);
int user_set_disabled(const CommonFlags& flags, const std::string& who, bool disabled);
int user_delete(const CommonFlags& flags, const std::string& who);
struct UserRoleFlags {
  std::vector<std::string> add, remove;
};
int user_role(const CommonFlags& flags, const std::string& who, const UserRoleFlags& wanted);

int key_list(const CommonFlags& flags);
int key_rotate(const CommonFlags& flags, domain::Rotation rotation);

int token_inspect();
int token_verify(const CommonFlags& flags, const std::filesystem::path& jwks, bool signature_only);

int audit_verify(const CommonFlags& flags, const std::filesystem::path& saved_checkpoints);
int audit_tail(const CommonFlags& flags, std::int64_t limit, bool follow);

struct MailListFlags {
  std::string state;  // empty: all
  std::string after;
  std::int64_t limit = 100;
};
int mail_list(const CommonFlags& flags, const MailListFlags& wanted);
int mail_retry(const CommonFlags& flags, const std::string& id);  // empty: all
struct MailTestFlags {
  std::string address;
  std::string locale;
  bool later = false;
};
int mail_test(const CommonFlags& flags, const MailTestFlags& wanted);
int mail_preview(const CommonFlags& flags, const std::filesystem::path& folder);

int migrate(const CommonFlags& flags, bool plan_only);

/// The other database: one of these, or else what KEYWARD_MOVE_TO or KEYWARD_MOVE_TO_FILE say. A URL may hold
/// a password, and everybody on the machine sees the words of a command.
struct TargetFlags {
  std::string to;
  std::filesystem::path to_file;
};
int db_move(const CommonFlags& flags, const TargetFlags& target, bool resume);
int db_compare(const CommonFlags& flags, const TargetFlags& target);
int db_reopen(const CommonFlags& flags);

int backup(const CommonFlags& flags, const std::filesystem::path& file);

int config_check(const CommonFlags& flags);
int config_show(const CommonFlags& flags);
int config_print_template();

int doctor(const CommonFlags& flags);

int healthcheck(const CommonFlags& flags, const std::string& url);

}  // namespace keyward::app
