// Schedule: what a seed makes happen, from the first start to the last mail.
//
// One step at a time, drawn from the seed: somebody calls, a node runs the closures that wait, a mail is
// sent, time passes or is set, a process dies or the power goes, between two steps or at an operation of the
// disk within one. After each recovery, and at the end, all that was promised is held against the database.
// At the end nothing breaks any more, and what was promised for later must come.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace keyward::simulation {

struct Report {
  std::uint64_t seed = 0;
  std::string violation;  // empty: none
  std::vector<std::string> trace;
  std::uint64_t trace_hash = 0;  // of the trace, and of the disk at its end
  std::uint64_t steps = 0;
  std::map<std::string, std::uint64_t> counts;
};

/// The same seed gives the same report. `syncs_lie`: on a disk that keeps nothing.
Report run_schedule(std::uint64_t seed, bool syncs_lie = false);

}  // namespace keyward::simulation
