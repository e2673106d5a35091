#include "storage/sqlite/connection.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <limits>
#include <string>

#include "base/log.hpp"
#include "storage/errors.hpp"
#include "storage/sqlite/error.hpp"

namespace keyward::storage::sqlite {
namespace {

/// "KWRD", in the file's head: tells our files from those of other programs.
constexpr std::int64_t application_id = 0x4B575244;

/// The file, to be read without a trace (sqlite.org/c3ref/open.html, walformat.html). A reader of a
/// write-ahead log otherwise makes that and its index, and leaves both behind.
std::string untouching_url(const std::filesystem::path& path) {
  std::error_code none;
  auto file = std::filesystem::canonical(path, none).string();  // the log lies beside where a link leads
  if (none) file = std::filesystem::absolute(path).string();
  std::string url = "file://";
  for (const char c : file) {
    const bool special = c == '%' || c == '?' || c == '#';
    url += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  const auto log_bytes = std::filesystem::file_size(file + "-wal", none);
  const bool has_log = !none && (log_bytes != 0 || std::filesystem::exists(file + "-shm", none));
  // Without a log nobody is at work: the file is read as it lies there. Beside one, its index is looked at.
  return url + (has_log ? "?readonly_shm=1" : "?immutable=1");
}

sqlite3* open_file(const Options& options, Access access) {
  // No mutex: a connection belongs to one thread at a time.
  const int mode =
      (access == Access::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  sqlite3* raw = nullptr;
  const int code = options.read_only ? sqlite3_open_v2(untouching_url(options.path).c_str(), &raw,
                                                       mode | SQLITE_OPEN_URI, nullptr)
                                     : sqlite3_open_v2(options.path.c_str(), &raw, mode, nullptr);
  if (code != SQLITE_OK) {
    const std::string why = raw != nullptr ? sqlite3_errmsg(raw) : "out of memory";
    sqlite3_close_v2(raw);
    throw Failure(fmt::format("{} cannot be opened: {}.", options.path.string(), why));
  }
  sqlite3_extended_result_codes(raw, 1);
  return raw;
}

void harden(sqlite3* database) {
  constexpr const char* doing = "opening the file";
  const auto set = [&](int option, int value) {
    require_ok(database, sqlite3_db_config(database, option, value, nullptr), doing);
  };
  set(SQLITE_DBCONFIG_DEFENSIVE, 1);
  set(SQLITE_DBCONFIG_DQS_DML, 0);  // "x" is a column, never a text
  set(SQLITE_DBCONFIG_DQS_DDL, 0);
  set(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0);
  set(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0);
  set(SQLITE_DBCONFIG_ENABLE_FKEY, 1);
  sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
}

}  // namespace

void SqliteConnection::Close::operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }

SqliteConnection::SqliteConnection(const Options& options, Access access)
    : access_(access), database_(open_file(options, access)) {
  harden(database_.get());
  require_ok(database_.get(),
             sqlite3_busy_timeout(database_.get(), static_cast<int>(options.busy_timeout.count())),
             "opening the file");
  configure(options);
}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  if (access_ != Access::write || in_transaction()) return;
  // A clean close leaves one file behind. Somebody else's connection may stand in the way, which is no error:
  // the wait is for those who start, not for those who stop.
  sqlite3_busy_timeout(database_.get(), 0);
  sqlite3_wal_checkpoint_v2(database_.get(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

void SqliteConnection::configure(const Options& options) {
  try {
    claim_file(options);
  } catch (const Unavailable&) {
    throw;
  } catch (const Failure&) {
    const int code = sqlite3_errcode(database_.get()) & 0xff;
    if (options.read_only && (code == SQLITE_CANTOPEN || code == SQLITE_READONLY)) {
      throw Failure(fmt::format(
          "The log beside {}, left by a crash, cannot be read without a change. The next start does.",
          options.path.string()));
    }
    if (code != SQLITE_NOTADB) throw;
    throw Failure(
        fmt::format("{} is not a SQLite database. Move it away, or choose another data folder with --data.",
                    options.path.string()));
  }
  run("PRAGMA cell_size_check = ON");
  run("PRAGMA temp_store = MEMORY");  // no plain copies of rows in files beside
  if (access_ == Access::read) {
    run("PRAGMA query_only = ON");
    return;
  }
  run("PRAGMA synchronous = FULL");  // in WAL: the commit waits for the disk
  // ON and not FAST: a deleted account is overwritten also where whole pages become free. Such pages are few
  // here.
  run("PRAGMA secure_delete = ON");
  run("PRAGMA wal_autocheckpoint = 1000");      // pages, 4 MB: the writer folds the log back in small pieces
  run("PRAGMA journal_size_limit = 16777216");  // what a long reader made it grow to is given back
  // Of the settings above, these two fail in silence.
  if (run_for_number("PRAGMA foreign_keys") != 1)
    throw Failure("This SQLite was built without foreign keys.");
  if (run_for_number("PRAGMA synchronous") != 2) throw Failure("This SQLite refuses synchronous = FULL.");
}

bool SqliteConnection::is_ours(const Options& options) {
  const std::int64_t owner = run_for_number("PRAGMA application_id");
  const bool empty = run_for_number("SELECT count(*) FROM sqlite_master") == 0;
  if (owner != application_id && !(owner == 0 && empty)) {
    throw Failure(
        fmt::format("{} is a SQLite database of another program. Choose another data folder with --data.",
                    options.path.string()));
  }
  return owner == application_id;
}

void SqliteConnection::claim_file(const Options& options) {
  if (access_ == Access::read) {
    if (options.read_only) is_ours(options);  // elsewhere the writer has looked
    return;
  }
  if (sqlite3_db_readonly(database_.get(), "main") == 1) {
    throw Failure(fmt::format("{} cannot be written. Give this user the right to write it and its folder.",
                              options.path.string()));
  }
  const bool ours = is_ours(options);
  SqliteStatement journal{database_.get(), "PRAGMA journal_mode = WAL"};
  journal.start({});
  const bool wal = journal.next() && std::get<std::string_view>(journal.column(0)) == "wal";
  journal.finish();
  if (!wal)
    throw Failure(fmt::format("SQLite cannot keep a write-ahead log beside {}.", options.path.string()));
  if (!ours) run("PRAGMA application_id = 1264013892");
}

void SqliteConnection::run(Sql sql) {
  auto& statement = prepare(sql);
  const auto finish = [](Statement* ended) { ended->finish(); };
  const std::unique_ptr<Statement, decltype(finish)> running{&statement, finish};
  statement.start({});
  while (statement.next()) {
  }
}

std::int64_t SqliteConnection::run_for_number(Sql sql) {
  SqliteStatement statement{database_.get(), sql};
  statement.start({});
  return statement.next() ? std::get<std::int64_t>(statement.column(0)) : 0;
}

void SqliteConnection::begin() {
  if (access_ == Access::write) {
    run("BEGIN IMMEDIATE");  // takes the file's write lock now, when waiting for it is still possible
  } else {
    run("BEGIN DEFERRED");
  }
}

void SqliteConnection::commit() { run("COMMIT"); }

void SqliteConnection::rollback() noexcept {
  if (!in_transaction()) return;
  try {
    run("ROLLBACK");
  } catch (const std::exception& error) {
    log(LogLevel::error, "database_rollback_failed", {{"error", error.what()}});
  }
}

void SqliteConnection::savepoint() { run("SAVEPOINT closure"); }
void SqliteConnection::release_savepoint() { run("RELEASE closure"); }
void SqliteConnection::rollback_to_savepoint() { run("ROLLBACK TO closure"); }

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

Statement& SqliteConnection::prepare(Sql sql) {
  auto& statement = statements_[sql.key()];
  if (!statement) statement = std::make_unique<SqliteStatement>(database_.get(), sql);
  return *statement;
}

void SqliteConnection::run_script(std::string_view script) {
  while (!script.empty()) {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const int code =
        sqlite3_prepare_v2(database_.get(), script.data(), static_cast<int>(script.size()), &raw, &rest);
    const StatementHandle statement{raw};
    require_ok(database_.get(), code, script.substr(0, 200));
    script.remove_prefix(static_cast<std::size_t>(rest - script.data()));
    if (!statement) continue;  // white space and comments
    int step = SQLITE_ROW;
    while (step == SQLITE_ROW) step = sqlite3_step(statement.get());
    if (step != SQLITE_DONE) raise(database_.get(), step, sqlite3_sql(statement.get()));
  }
}

bool SqliteConnection::has_table(std::string_view name) {
  SqliteStatement statement{database_.get(),
                            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1"};
  const ValueView value = name;
  statement.start({&value, 1});
  return statement.next();
}

}  // namespace keyward::storage::sqlite
