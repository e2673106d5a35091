// The file with the one-time token that makes the first admin, `setup-token` in the data folder, mode 0600.
#pragma once

#include <filesystem>
#include <optional>

#include "app/core.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace keyward::app {

std::filesystem::path setup_token_path(const Config& config);

void remove_setup_token_file(const std::filesystem::path& file);

/// At the start of a server: makes the token when nobody is there yet and the file does not hold the one that
/// lives, and removes the file when there is an admin. Returns a token that was just made, to be shown once.
Result<std::optional<Secret>> prepare_setup_token(Core& core, const std::filesystem::path& file);

}  // namespace keyward::app
