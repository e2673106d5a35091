// Where the database file lies: its folder, its permissions, and the file systems it must not lie on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace keyward::storage::sqlite {

/// The name of a file system whose locks and shared memory do not hold between machines (or not at all), by
/// the f_type of statfs(2); nothing for a local one.
std::optional<std::string_view> network_file_system_name(std::int64_t f_type);

/// mkdir -p, everything that is missing for the owner only.
Result<void> make_folder(const std::filesystem::path& folder);

struct FileChoices {
  bool create = true;
  bool allow_network_file_system = false;
};

/// Afterwards `path` is a writable file: empty and of mode 0600 when it was just made, or what was there.
Result<void> prepare_file(const std::filesystem::path& path, const FileChoices& choices);

}  // namespace keyward::storage::sqlite
