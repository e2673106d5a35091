// `keyward doctor`: looks at everything that a running server needs, and says in a line each what is wrong
// and how to mend it.
//
// It works beside a running server and without one, and changes nothing: no folder is made, no migration run,
// no mail sent. No finding holds a secret.
#pragma once

#include "app/config/config.hpp"
#include "app/doctor/finding.hpp"
#include "base/clock.hpp"

namespace keyward::app {

std::vector<Finding> examine(const ConfigSources& sources, const Clock& clock);

/// No error among them.
bool is_healthy(const std::vector<Finding>& findings);

}  // namespace keyward::app
