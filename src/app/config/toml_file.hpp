// The configuration file, read: a flat list of its settings with their lines. The only user of toml++.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "app/config/settings.hpp"

namespace keyward::app {

struct FileEntry {
  std::string key;  // "section.name"
  RawValue value;
  std::string origin;  // "keyward.toml:12"
  std::size_t line = 0;
};

/// Every value of the file; a section that holds nothing is one entry of kind `other`, unless some setting is
/// in it.
std::expected<std::vector<FileEntry>, ConfigError> read_toml_file(const std::filesystem::path& file);

}  // namespace keyward::app
