// From SQLite's result codes to what storage throws.
#pragma once

#include <string_view>

struct sqlite3;

namespace keyward::storage::sqlite {

/// Throws what `code`, which `database` has just returned, stands for; `doing` goes into the message.
[[noreturn]] void raise(sqlite3* database, int code, std::string_view doing);
/// The same unless `code` is SQLITE_OK.
void require_ok(sqlite3* database, int code, std::string_view doing);

}  // namespace keyward::storage::sqlite
