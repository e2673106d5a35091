// SimulatedDriver: the SQLite engine as it is, on a simulated disk and in simulated time, without threads,
// and with the ledger at every commit.
#pragma once

#include <memory>

#include "simulation/disk.hpp"
#include "simulation/ledger.hpp"
#include "storage/connection.hpp"

namespace keyward::simulation {

struct Engine {
  Disk& disk;
  SimulatedClock& clock;
  Ledger& ledger;
  Trace& trace;
};

inline constexpr const char* database_path = "/data/keyward.db";

/// `group_max`: closures that share a commit.
std::unique_ptr<storage::Driver> make_driver(Engine engine, ProcessId process, std::size_t group_max);

}  // namespace keyward::simulation
