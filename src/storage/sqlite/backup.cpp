#include "storage/sqlite/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "storage/errors.hpp"
#include "storage/sqlite/error.hpp"
#include "storage/sqlite/statement.hpp"

namespace keyward::storage::sqlite {
namespace {

constexpr int busy_timeout_ms = 5000;

struct Close {
  void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

Handle open_to_read(const std::filesystem::path& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  Handle database{raw};
  require_ok(raw, code, "opening " + path.string());
  sqlite3_extended_result_codes(raw, 1);
  require_ok(raw, sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr), "opening the file");
  require_ok(raw, sqlite3_busy_timeout(raw, busy_timeout_ms), "opening the file");
  return database;
}

void vacuum_into(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto database = open_to_read(from);
  SqliteStatement statement{database.get(), "VACUUM INTO $1"};
  const std::string name = to.string();
  const ValueView target = std::string_view{name};
  statement.start({&target, 1});
  statement.next();
}

void check_copy(const std::filesystem::path& path) {
  const auto database = open_to_read(path);
  SqliteStatement statement{database.get(), "PRAGMA integrity_check(1)"};
  statement.start({});
  const bool whole = statement.next() && std::get<std::string_view>(statement.column(0)) == "ok";
  statement.finish();
  if (!whole)
    throw Failure("the copy is damaged, and perhaps the database: run PRAGMA integrity_check on it");
}

[[noreturn]] void throw_errno(const std::string& doing) {
  throw Failure(doing + ": " + std::generic_category().message(errno));
}

void make_durable(const std::filesystem::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC);
  if (file < 0) throw_errno("opening " + path.string());
  const bool durable = ::fsync(file) == 0;
  ::close(file);
  if (!durable) throw_errno("writing " + path.string());
}

/// Empty, for its owner only, and made by us; removed again unless it was kept.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path path) : path_(std::move(path)) {
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) throw_errno(path_.string() + " cannot be made");
    ::close(file);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (!kept_) ::unlink(path_.c_str());
  }
  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

std::uint64_t copy_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  const std::filesystem::path partial = to.string() + ".partial";
  NewFile name{to};  // nobody else's from now on
  NewFile whole{partial};
  vacuum_into(from, partial);
  check_copy(partial);
  make_durable(partial, 0);
  if (::rename(partial.c_str(), to.c_str()) != 0) throw_errno("naming " + to.string());
  whole.keep();
  name.keep();
  make_durable(to.has_parent_path() ? to.parent_path() : std::filesystem::path{"."}, O_DIRECTORY);
  return std::filesystem::file_size(to);
}

}  // namespace

Result<std::uint64_t> blocking_backup(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::access(from.c_str(), F_OK) != 0)
    return fail(ErrorCode::not_found, fmt::format("There is no database at {}.", from.string()));
  try {
    return copy_durably(from, to);
  } catch (const Failure& failure) {
    return fail(ErrorCode::internal, fmt::format("No backup was made: {}.", failure.what()));
  }
}

}  // namespace keyward::storage::sqlite
