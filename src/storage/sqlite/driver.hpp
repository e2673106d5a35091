// The SQLite engine: one file, one writer thread with group commit, a few reader connections beside it.
//
// Threats: a file that others may read (made 0600 in a folder of 0700); a network file system, whose locks
// lie (refused); a crafted or damaged file (defensive mode, untrusted schema, cell checks, no ATTACH, no
// extensions).
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "storage/connection.hpp"

namespace keyward::storage::sqlite {

struct Options {
  std::filesystem::path path;
  std::size_t reader_threads = 2;
  std::chrono::milliseconds busy_timeout{5000};
  std::size_t group_max = 64;
  bool create = true;
  bool allow_network_file_system = false;
  bool read_only = false;  // readers leave the folder as it is, and look whose file it is
};

/// Makes and checks the folder and the file, and answers in sentences for the person who starts the server.
Result<std::unique_ptr<Driver>> open_driver(Options options);

}  // namespace keyward::storage::sqlite
