// StorageUrl: where the database is. A PostgreSQL URL may hold a password: it is kept as a Secret, and shown
// without it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace keyward::app {

/// postgres://…, the path of a SQLite file, or nothing.
struct StorageUrl {
  Secret text;
};

/// Or what is wrong, in words that repeat nothing of the text.
std::expected<StorageUrl, std::string> parse_storage_url(std::string_view text);

bool is_postgres(const StorageUrl& url);
/// A PostgreSQL across a network whose identity nobody checks: who stands in between can be it.
bool is_open_to_impostors(const StorageUrl& url);
/// For people: with ******** in the place of a password.
std::string to_text(const StorageUrl& url);

}  // namespace keyward::app
