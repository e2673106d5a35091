// Outcome: counts what came of a call, once, however it ends.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/metrics.hpp"

namespace keyward::features {

/// In a handler, for the time of the call. Until it is told otherwise, or when an exception ends the call:
/// the world broke, "unavailable".
class Outcome {
 public:
  explicit Outcome(WordCounts& counts) : counts_(counts) {}
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;
  ~Outcome() { counts_.add(word_); }

  /// A constant.
  void is(std::string_view word) { word_ = word; }
  /// The refusal, and the word for it: of the credentials, or of what is there already, its own reason.
  std::unexpected<Error> refuse(Error error) {
    if (error.code == ErrorCode::too_many_requests) {
      word_ = "rate_limited";
    } else if (error.code == ErrorCode::invalid_input) {
      word_ = "invalid_input";
    } else if (error.code != ErrorCode::unavailable) {
      reason_ = error.private_detail;
      word_ = reason_;
    }
    return std::unexpected(std::move(error));
  }

 private:
  WordCounts& counts_;
  std::string_view word_ = "unavailable";
  std::string reason_;
};

}  // namespace keyward::features
