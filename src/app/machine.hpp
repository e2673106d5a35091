// Machine: what the server takes from the machine that it runs on. A test puts other things in their places,
// so that a run can be told again from its first step.
#pragma once

#include <unistd.h>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace keyward::app {

struct Machine {
  const Clock& clock;
  Random& random;
  int event_output = STDOUT_FILENO;  // where the server writes security events
  /// Argon2 settings below the floor are taken (P8): for tests that hash thousands of times.
  bool weak_hashes = false;

  /// The system's clock and randomness.
  static Machine real();
};

}  // namespace keyward::app
