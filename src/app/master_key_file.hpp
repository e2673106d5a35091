// Where the master key comes from: a setting, or a file that is made once.
#pragma once

#include <filesystem>

#include "app/config/config.hpp"
#include "base/random.hpp"
#include "crypto/master_key.hpp"

namespace keyward::app {

/// The configured master key, else the one in `folder`/master.key. With `may_make` a missing file is made
/// (mode 0600), and two processes that start at once agree on one; without, a missing file is an error:
/// something is sealed with it already. Errors name the setting or the file.
Result<crypto::MasterKey> load_master_key(const Config& config, const std::filesystem::path& folder,
                                          bool may_make, Random& random);

}  // namespace keyward::app
