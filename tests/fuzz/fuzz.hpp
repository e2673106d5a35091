// What a fuzz target is written with.
//
//   KEYWARD_FUZZ_TARGET(uri) {            // the function uri(BytesView input), under its name
//     …
//     must_hold(text == again, "read twice, it says the same");
//   }
//
// A target is one file. libFuzzer calls it in the preset `fuzz` (engine.cpp); everywhere else corpora.cpp
// replays the files of corpus/ and regressions/ through the same function.
#pragma once

#include <algorithm>
#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace keyward::fuzz {

using Function = void (*)(BytesView input);

struct Target {
  std::string_view name;
  Function run = nullptr;
};

/// Those that are linked into this program.
std::vector<Target>& targets();
bool add_target(std::string_view name, Function run);

#define KEYWARD_FUZZ_TARGET(name)                                                              \
  static void name(keyward::BytesView input);                                                  \
  [[maybe_unused]] static const bool name##_is_added = keyward::fuzz::add_target(#name, name); \
  static void name(keyward::BytesView input)

/// What must hold did not. libFuzzer takes an exception that leaves a target for a crash.
struct Violation : std::logic_error {
  using std::logic_error::logic_error;
};

void must_hold(bool holds, std::string_view sentence,
               const std::source_location& where = std::source_location::current());

/// Within `whole`, or empty.
bool is_inside(std::string_view part, std::string_view whole);
/// A sentence that may be shown: something, in UTF-8, without a control character.
bool is_sentence(std::string_view text);

/// Takes an input apart. Numbers are taken off its end, so that what stands before them stays a readable
/// text.
class Input {
 public:
  explicit Input(BytesView bytes) : left_(bytes) {}

  [[nodiscard]] bool empty() const { return left_.empty(); }
  [[nodiscard]] std::size_t size() const { return left_.size(); }
  /// 0 when nothing is left.
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const std::uint8_t taken = left_.back();
    left_ = left_.first(left_.size() - 1);
    return taken;
  }
  bool flag() { return (byte() & 1U) != 0; }
  /// Below `bound`, which is not 0.
  std::size_t below(std::size_t bound) {
    std::size_t number = byte();
    if (bound > 256) number = number << 8U | byte();
    return number % bound;
  }
  std::int64_t int64() {
    std::uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8U | byte();
    return static_cast<std::int64_t>(number);
  }
  /// Off the front: at most so many bytes.
  BytesView bytes(std::size_t max) {
    const BytesView taken = left_.first(std::min(max, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  std::string_view text(std::size_t max) { return as_text(bytes(max)); }
  /// Off the front: up to the next line feed, which goes too.
  std::string_view line() {
    const std::string_view all = as_text(left_);
    const std::string_view taken = all.substr(0, all.find('\n'));
    left_ = left_.subspan(std::min(taken.size() + 1, left_.size()));
    return taken;
  }
  std::string_view rest() { return text(left_.size()); }

 private:
  BytesView left_;
};

}  // namespace keyward::fuzz
