// What `keyward doctor` asks the database about itself. It only reads.
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "storage/transaction.hpp"

namespace keyward::storage {

/// Of a PostgreSQL server, in its own words.
struct ServerFacts {
  std::string version;
  std::string in_recovery;  // "true": a standby
  std::string fsync, full_page_writes, synchronous_commit;
  std::string over_tls, over_network;  // this connection: "true" or "false"
  Time now;
};
BOOST_DESCRIBE_STRUCT(ServerFacts, (),
                      (version, in_recovery, fsync, full_page_writes, synchronous_commit, over_tls,
                       over_network, now))

ServerFacts read_server_facts(Transaction& transaction);
/// Of SQLite.
std::string read_sqlite_version(Transaction& transaction);

}  // namespace keyward::storage
