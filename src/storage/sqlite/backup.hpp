// A copy of a SQLite database, made while servers read and write it.
//
// VACUUM INTO: one read transaction, so the copy is the state of one moment, compact, and without remains of
// what was deleted; in WAL mode it holds nobody up. Threats: half a copy that is taken for a whole one (it is
// made under another name, checked, made durable, and only then has its name) · a copy that others can read
// (mode 0600) · an older copy that is written over (refused).
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.hpp"

namespace keyward::storage::sqlite {

/// Returns the copy's size in bytes. Errors are sentences for the person who asked; `to` is then not there.
Result<std::uint64_t> blocking_backup(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace keyward::storage::sqlite
