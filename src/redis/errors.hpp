// What redis throws inside its threads; callers get a Result.
#pragma once

#include <stdexcept>

namespace keyward::redis {

/// It is gone, too slow, or does not do its work.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// It is there and will not serve us: a wrong password, too old. Waiting does not mend that.
class Refusal final : public Failure {
 public:
  using Failure::Failure;
};

}  // namespace keyward::redis
