// What a file holds that a secret is given in.
#pragma once

#include <filesystem>
#include <optional>

#include "base/secret.hpp"

namespace keyward::app {

/// Without the line feeds at its end; nothing when it cannot be read.
std::optional<Secret> read_secret_file(const std::filesystem::path& path);

}  // namespace keyward::app
