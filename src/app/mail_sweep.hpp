// The background sweep of mails: links that are dead, rows that are long over, files of mails that have
// expired.
//
// As the sweep of sessions it looks every ten minutes or so and writes nothing when there is nothing.
#pragma once

#include <filesystem>

#include "app/sweeping.hpp"
#include "runtime/task.hpp"

namespace keyward::app {

/// Never returns. `eml_folder`: where mails are files; it need not be there. The files are this node's own,
/// and looked after by itself; the rows belong to whoever gets the lease.
Task<void> sweep_mails_now_and_then(Sweeping sweeping, std::filesystem::path eml_folder);

}  // namespace keyward::app
