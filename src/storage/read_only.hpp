// A database that is only looked at: `keyward doctor`.
#pragma once

#include "storage/database.hpp"

namespace keyward::storage {

/// Like Database::open(), without writers: every write is refused. Nothing in a SQLite file's folder is made
/// or changed, its times neither. Where a crash left a log that cannot be read so, that is a Failure.
Result<std::unique_ptr<Database>> open_to_read(DatabaseOptions options);

}  // namespace keyward::storage
