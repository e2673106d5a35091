// The background sweep of mails: links that are dead, rows that are long over, files of mails that have
// expired.
//
// As the sweep of sessions it looks every ten minutes or so and writes nothing when there is nothing.
#pragma once

#include <filesystem>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "runtime/task.hpp"
#include "storage/database.hpp"

namespace keyward::app {

/// Never returns; the three outlive it. `eml_folder`: where mails are files; it need not be there.
Task<void> sweep_mails_now_and_then(storage::Database* database, const Clock* clock, Random* random,
                                    std::filesystem::path eml_folder);

}  // namespace keyward::app
