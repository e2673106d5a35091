#include "storage/sqlite/data_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/log.hpp"

namespace keyward::storage::sqlite {
namespace {

std::string reason(int error_number) { return std::generic_category().message(error_number); }

struct NetworkFileSystem {
  std::int64_t f_type;
  std::string_view name;
};
// linux/magic.h and the file systems' own sources. FUSE does not tell what is behind it (sshfs, s3fs,
// rclone).
constexpr auto network_file_systems = std::to_array<NetworkFileSystem>({
    {0x6969, "NFS"},
    {0x517B, "SMB"},
    {0xFF534D42, "CIFS"},
    {0xFE534D42, "SMB2"},
    {0x01021997, "9P"},
    {0x65735546, "FUSE"},
    {0x00C36400, "Ceph"},
    {0x5346414F, "AFS"},
    {0x6B414653, "AFS"},
    {0x73757245, "Coda"},
    {0x564C, "NCP"},
    {0x0BD00BD0, "Lustre"},
    {0x47504653, "GPFS"},
    {0x7461636F, "OCFS2"},
    {0x01161970, "GFS2"},
    {0x19830326, "BeeGFS"},
    {0x786F4256, "VirtualBox shared folder"},
    {0xBACBACBC, "VMware shared folder"},
    {0xAAD7AAEA, "PanFS"},
    {0x24051905, "Orange"},
});

Result<void> check_file_system(const std::filesystem::path& folder) {
  struct statfs status{};
  if (::statfs(folder.c_str(), &status) != 0) {
    return fail(ErrorCode::internal,
                fmt::format("The file system of {} cannot be examined: {}.", folder.string(), reason(errno)));
  }
  // 32 bits: some kernels hand CIFS's number out with its sign.
  const auto name = network_file_system_name(static_cast<std::uint32_t>(status.f_type));
  if (!name) return {};
  return fail(
      ErrorCode::internal,
      fmt::format(
          "{} lies on a network file system ({}), where SQLite's locks do not hold and data gets lost. "
          "Put the data folder on a local disk.",
          folder.string(), *name));
}

/// An existing file is examined without opening it: when a process closes any descriptor of a file, it loses
/// all its locks on it (POSIX), those of a SQLite connection that is at work included.
Result<void> check_existing(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(ErrorCode::internal, fmt::format("{} cannot be opened: {}.", path.string(), reason(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(
        ErrorCode::internal,
        fmt::format("{} is not a plain file. Choose another data folder with --data.", path.string()));
  }
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0) {
    return fail(
        ErrorCode::internal,
        fmt::format("{} cannot be written: {}. Give this user the right to read and write it and its folder.",
                    path.string(), reason(errno)));
  }
  if ((status.st_mode & 0077U) != 0) {
    log(LogLevel::warning, "database_file_permissions",
        {{"file", path.native()}, {"advice", "others may use it; chmod 600"}});
  }
  return {};
}

Result<void> make_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return {};
  }
  if (errno == EEXIST) return check_existing(path);
  return fail(ErrorCode::internal,
              fmt::format("{} cannot be made: {}. Give this user the right to write its folder.",
                          path.string(), reason(errno)));
}

}  // namespace

Result<void> make_folder(const std::filesystem::path& folder) {
  std::filesystem::path so_far;
  for (const auto& part : folder) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), 0700) == 0 || errno == EEXIST) continue;
    const int error_number = errno;
    struct stat status{};
    if (::stat(so_far.c_str(), &status) == 0) continue;  // "/" and the like, or a read-only file system above
    return fail(ErrorCode::internal,
                fmt::format("The data folder {} cannot be made: {} ({}). Choose another with "
                            "--data, or give this user the right to make it.",
                            folder.string(), reason(error_number), so_far.string()));
  }
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::internal,
                fmt::format("{} is not a folder. Choose another with --data.", folder.string()));
  }
  return {};
}

std::optional<std::string_view> network_file_system_name(std::int64_t f_type) {
  const auto* found = std::ranges::find(network_file_systems, f_type, &NetworkFileSystem::f_type);
  if (found == network_file_systems.end()) return std::nullopt;
  return found->name;
}

Result<void> prepare_file(const std::filesystem::path& path, const FileChoices& choices) {
  const std::filesystem::path folder =
      path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  if (!choices.create && ::access(path.c_str(), F_OK) != 0) {
    return fail(ErrorCode::not_found, fmt::format("There is no database at {}.", path.string()));
  }
  if (auto made = make_folder(folder); !made) return made;
  if (!choices.allow_network_file_system) {
    if (auto local = check_file_system(folder); !local) return local;
  }
  return choices.create ? make_file(path) : check_existing(path);
}

}  // namespace keyward::storage::sqlite
