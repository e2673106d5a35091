// The database, and what is in it. Nothing is made, migrated or changed.
#pragma once

#include "app/config/config.hpp"
#include "app/doctor/finding.hpp"
#include "base/clock.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/keys/signing_keys.hpp"
#include "storage/inspection.hpp"

namespace keyward::app {

/// All of them; those that need the database only say so when it cannot be opened.
std::vector<Finding> check_data(const Config& config, const Clock& clock);

// Each from what was read.
std::vector<Finding> judge_server(const storage::ServerFacts& facts);
/// `ours`: this machine's, just before they were asked and just after they answered.
struct Between {
  Time from, to;
};
std::vector<Finding> judge_clocks(std::string_view other, Time theirs, const Between& ours);
std::vector<Finding> judge_keys(const std::vector<domain::SigningKeyRow>& keys, const Config& config,
                                Time now);
std::vector<Finding> judge_admins(const std::vector<domain::Account>& admins, Time now);

}  // namespace keyward::app
