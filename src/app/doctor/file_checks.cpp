#include "app/doctor/file_checks.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>

#include "app/core.hpp"
#include "app/master_key_file.hpp"
#include "redis/address.hpp"
#include "storage/sqlite/data_folder.hpp"

namespace keyward::app {

namespace {

constexpr unsigned file_mode = 0600;
constexpr unsigned others = S_IRWXG | S_IRWXO;

std::optional<struct stat> look_at(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

void check_permissions(Findings& found, const std::filesystem::path& path, const struct stat& status,
                       unsigned right_mode) {
  if ((status.st_mode & S_IWOTH) != 0) {
    found.error(fmt::format("everybody can change {}", path.string()),
                fmt::format("chmod {:o} {}", right_mode, path.string()));
  } else if ((status.st_mode & others) != 0) {
    found.warning(fmt::format("others than its owner may use {}", path.string()),
                  fmt::format("chmod {:o} {}", right_mode, path.string()));
  }
  if (status.st_uid != ::geteuid() && ::geteuid() != 0) {
    found.warning(fmt::format("{} belongs to another user than the one who asks", path.string()),
                  "run keyward doctor as the user that runs the server");
  }
}

/// The database, the set-up token, keys that were made here. The master key has a check of its own.
void check_files(Findings& found, const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{folder, error}) {
    if (!entry.is_regular_file(error) || entry.path().filename() == "master.key") continue;
    if (const auto status = look_at(entry.path())) check_permissions(found, entry.path(), *status, file_mode);
  }
  if (error)
    found.warning("the data folder cannot be read", "run keyward doctor as the user that runs the server");
}

void check_file_system(Findings& found, const std::filesystem::path& path) {
  struct statfs system{};
  if (::statfs(path.c_str(), &system) != 0) return;
  if (const auto name =
          storage::sqlite::network_file_system_name(static_cast<std::uint32_t>(system.f_type))) {
    found.error(fmt::format("{} lies on a network file system ({})", path.string(), *name),
                "put the data folder on a local disk");
  }
  constexpr std::uint64_t mebibyte = 1024ULL * 1024;
  const auto free_bytes =
      static_cast<std::uint64_t>(system.f_bavail) * static_cast<std::uint64_t>(system.f_bsize);
  const auto sentence =
      fmt::format("{} MiB are free on the disk of {}", free_bytes / mebibyte, path.string());
  if (free_bytes < limits::doctor_free_disk_error_bytes) {
    found.error(sentence, "make room: without it nobody can log in");
  } else if (free_bytes < limits::doctor_free_disk_warning_bytes) {
    found.warning(sentence, "make room");
  }
}

/// Root's own group, and that of the data folder or of who asks, are not counted.
bool is_open_to_a_group(const struct stat& status, const Config& config) {
  if ((status.st_mode & S_IRWXG) == 0 || status.st_gid == 0) return false;
  const auto folder = look_at(config.storage.data);
  return status.st_gid != (folder ? folder->st_gid : ::getegid());
}

/// Secrets that stand among the other settings.
void check_settings_file(Findings& found, const Config& config) {
  std::map<std::string, std::string> names;  // by file
  for (const auto& [key, value, origin] : show_config(config)) {
    const auto colon = origin.rfind(':');  // FILE:LINE
    // Of Redis only the password is a secret.
    const auto shown = key == "redis.url" ? redis::shown_url(config.redis.url.text()) : value;
    if (!shown.contains("********") || colon == std::string::npos) continue;
    auto& so_far = names[origin.substr(0, colon)];
    so_far += (so_far.empty() ? "" : ", ") + key;
  }
  for (const auto& [path, secrets] : names) {
    const auto status = look_at(path);
    if (!status) continue;
    const bool everybody = (status->st_mode & S_IRWXO) != 0;
    if (everybody || is_open_to_a_group(*status, config)) {
      found.error(fmt::format("{} can read {}, where {} stands",
                              everybody ? "everybody on this machine" : "a group that is not the server's",
                              path, secrets),
                  "chgrp it to the server's group, chmod 640 it, and change the secret if somebody read it");
    }
  }
}

}  // namespace

std::vector<Finding> check_data_folder(const Config& config) {
  Findings found{"data"};
  const auto& folder = config.storage.data;
  const auto status = look_at(folder);
  if (!status) {
    found.note(fmt::format("the data folder {} is not there", folder.string()), "the first start makes it");
    return found.take();
  }
  constexpr unsigned folder_mode = 0700;
  check_permissions(found, folder, *status, folder_mode);
  check_file_system(found, folder);
  check_files(found, folder);
  const auto options = to_database_options(config);
  if (options.postgres_url.empty()) {
    if (const auto file = look_at(options.path); file && options.path.parent_path() != folder)
      check_permissions(found, options.path, *file, file_mode);
    const auto parent = options.path.parent_path();
    std::error_code ignored;
    if (!parent.empty() && !std::filesystem::equivalent(parent, folder, ignored))
      check_file_system(found, parent);
  }
  found.otherwise_ok(fmt::format("{} is its owner's alone, on a local disk with room", folder.string()));
  return found.take();
}

std::vector<Finding> check_master_key(const Config& config) {
  Findings found{"master-key"};
  if (!config.secrets.master_key.bytes.empty()) {
    const auto origin = config.origins.find("secrets.master_key");
    const std::string from = origin == config.origins.end() ? "the settings" : origin->second;
    if (from.ends_with("_FILE")) {
      found.ok("it comes from " + from);
    } else {
      found.note("it comes from " + from + ", where more can see it than in a file of its own",
                 "give it as KEYWARD_MASTER_KEY_FILE");
    }
    return found.take();
  }
  const auto path = config.storage.data / "master.key";
  const auto status = look_at(path);
  if (!status) {
    found.note(path.string() + " is not there", "the first start makes it");
  } else if ((status->st_mode & others) != 0) {
    found.error("others can read " + path.string() + ", and the server does not start with it",
                "chmod 600 it, and change the key if they did");
  } else {
    found.note(path.string() + " lies beside what it protects: a copy of the folder is a copy of the keys",
               "give it as KEYWARD_MASTER_KEY_FILE, and keep it apart from backups");
  }
  return found.take();
}

std::vector<Finding> check_secret_files(const Config& config,
                                        const std::vector<std::pair<std::string, std::string>>& environment) {
  Findings found{"secrets"};
  std::size_t count = 0;
  for (const auto& [name, path] : environment) {
    if (!name.ends_with("_FILE")) continue;
    const auto status = look_at(path);
    if (!status) continue;  // told by the settings
    ++count;
    if ((status->st_mode & S_IRWXO) != 0) {
      found.warning(fmt::format("everybody on this machine can read {} ({})", path, name),
                    "chmod 600 it, and change the secret if they did");
    } else if (is_open_to_a_group(*status, config)) {
      found.warning(fmt::format("a group that is not the server's can read {} ({})", path, name),
                    "chmod 600 it, or chgrp it to the server's group");
    }
  }
  check_settings_file(found, config);
  found.otherwise_ok(count == 0 ? "no secret comes from a file"
                                : fmt::format("{} come from files that are not everybody's", count));
  return found.take();
}

std::vector<Finding> check_descriptors(const Config& config) {
  Findings found{"descriptors"};
  std::size_t own = 128;  // the database's, the logs', the listeners'
  if (config.server.management_listen) own += limits::http_side_connections_max;
  if (config.tls.redirect_listen) own += limits::http_side_connections_max;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return found.take();
  const auto wanted = config.server.connections_max + own;
  if (limit.rlim_cur < wanted) {
    found.warning(fmt::format("{} files may be open at a time here, and server.connections_max is {}",
                              limit.rlim_cur, config.server.connections_max),
                  fmt::format("raise the limit of the server to {} (LimitNOFILE=, ulimit -n) or lower "
                              "server.connections_max",
                              wanted));
  }
  found.otherwise_ok(fmt::format("{} files may be open at a time", limit.rlim_cur));
  return found.take();
}

}  // namespace keyward::app
