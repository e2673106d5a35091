#include "storage/sqlite/driver.hpp"

#include <sqlite3.h>

#include <utility>

#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/data_folder.hpp"

namespace keyward::storage::sqlite {
namespace {

class SqliteDriver final : public Driver {
 public:
  explicit SqliteDriver(Options options) : options_(std::move(options)) {}

  [[nodiscard]] LaneShape shape(Access access) const override {
    // One writer: SQLite lets one at a time in, and whoever waits shares the next commit.
    if (access == Access::write)
      return {.connections = options_.read_only ? 0UL : 1UL, .group_max = options_.group_max};
    return {.connections = options_.reader_threads, .group_max = 1};
  }
  [[nodiscard]] bool writers_take_turns() const override { return true; }
  std::unique_ptr<Connection> connect(Access access) override {
    return std::make_unique<SqliteConnection>(options_, access);
  }

 private:
  Options options_;
};

}  // namespace

Result<std::unique_ptr<Driver>> open_driver(Options options) {
  if (sqlite3_libversion_number() < 3'035'000) {
    return fail(ErrorCode::internal, "Keyward needs SQLite 3.35 or newer (RETURNING).");
  }
  if (sqlite3_threadsafe() == 0) {
    return fail(ErrorCode::internal,
                "This SQLite library was built without threads. Install the system's package.");
  }
  auto prepared = prepare_file(
      options.path,
      {.create = options.create, .allow_network_file_system = options.allow_network_file_system});
  if (!prepared) return fail_from(prepared);
  return std::make_unique<SqliteDriver>(std::move(options));
}

}  // namespace keyward::storage::sqlite
