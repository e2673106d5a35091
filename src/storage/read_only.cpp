#include "storage/read_only.hpp"

#include "storage/sqlite/driver.hpp"

namespace keyward::storage {

Result<std::unique_ptr<Database>> open_to_read(DatabaseOptions options) {
  options.writer_threads = 0;
  auto driver = options.postgres_url.empty()
                    ? sqlite::open_driver({.path = options.path,
                                           .reader_threads = options.reader_threads,
                                           .busy_timeout = options.busy_timeout,
                                           .create = false,
                                           .allow_network_file_system = options.allow_network_file_system,
                                           .read_only = true})
                    : open_driver(options);
  if (!driver) return fail_from(driver);
  return Database::open(std::move(*driver), options.queue_max);
}

}  // namespace keyward::storage
