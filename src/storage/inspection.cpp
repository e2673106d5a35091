#include "storage/inspection.hpp"

namespace keyward::storage {

namespace {

struct Version {
  std::string version;
};
BOOST_DESCRIBE_STRUCT(Version, (), (version))

}  // namespace

ServerFacts read_server_facts(Transaction& transaction) {
  return transaction.get<ServerFacts>(
      "SELECT current_setting('server_version') AS version, pg_is_in_recovery()::TEXT AS in_recovery, "
      "current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes, "
      "current_setting('synchronous_commit') AS synchronous_commit, "
      "COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), FALSE)::TEXT AS over_tls, "
      "(inet_server_addr() IS NOT NULL)::TEXT AS over_network, "
      "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now");
}

std::string read_sqlite_version(Transaction& transaction) {
  return transaction.get<Version>("SELECT sqlite_version() AS version").version;
}

}  // namespace keyward::storage
