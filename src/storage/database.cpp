#include "storage/database.hpp"

#include <fmt/format.h>

#include "storage/postgres/driver.hpp"
#include "storage/sqlite/driver.hpp"

namespace keyward::storage {
namespace {

std::vector<std::unique_ptr<Connection>> connect_all(Driver& driver, Access access) {
  std::vector<std::unique_ptr<Connection>> connections;
  // None for writing: see read_only.hpp.
  const std::size_t count =
      std::max<std::size_t>(driver.shape(access).connections, access == Access::read ? 1 : 0);
  for (std::size_t i = 0; i < count; ++i) connections.push_back(driver.connect(access));
  return connections;
}

}  // namespace

Database::Database(std::unique_ptr<Driver> driver) : driver_(std::move(driver)) {}
Database::~Database() = default;

Result<std::unique_ptr<Driver>> open_driver(const DatabaseOptions& options) {
  if (!options.postgres_url.empty()) {
    return postgres::open_driver({.url = options.postgres_url.copy(),
                                  .writer_threads = options.writer_threads,
                                  .reader_threads = options.reader_threads});
  }
  return sqlite::open_driver({.path = options.path,
                              .reader_threads = options.reader_threads,
                              .busy_timeout = options.busy_timeout,
                              .group_max = options.group_max,
                              .create = options.create,
                              .allow_network_file_system = options.allow_network_file_system});
}

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  auto driver = open_driver(options);
  if (!driver) return fail_from(driver);
  return open(std::move(*driver), options.queue_max);
}

Result<std::unique_ptr<Database>> Database::open(std::unique_ptr<Driver> driver, std::size_t queue_max) {
  std::unique_ptr<Database> database{new Database(std::move(driver))};
  try {
    auto writers = connect_all(*database->driver_, Access::write);
    auto readers = connect_all(*database->driver_, Access::read);
    const auto writes_max = writers.empty() ? 0 : queue_max;  // nobody would take one from the queue
    database->writers_ =
        std::make_unique<Lane>(*database->driver_, Access::write, std::move(writers), writes_max);
    database->readers_ =
        std::make_unique<Lane>(*database->driver_, Access::read, std::move(readers), queue_max);
  } catch (const Unavailable& busy) {
    return fail(ErrorCode::unavailable, busy.what());
  } catch (const Failure& failure) {
    return fail(ErrorCode::internal, failure.what());
  }
  return database;
}

}  // namespace keyward::storage
