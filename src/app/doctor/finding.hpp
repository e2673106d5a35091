// A finding of `keyward doctor`: one line for the operator.
//
// Threats: what another machine answers is shown on a terminal (every finding goes through to_printable()
// once, at the end of examine(); what is quoted of an answer is cut by cut_foreign()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyward::app {

enum class Severity : std::uint8_t { ok, note, warning, error };
std::string_view to_text(Severity severity);

struct Finding {
  Severity severity = Severity::ok;
  std::string check;  // what was looked at: "database", "public-url", …
  std::string what;   // what was found; never a secret
  std::string mend;   // what to do about it; empty where there is nothing to do
};

/// With control characters, ANSI escapes and marks of the writing direction escaped as to_log_json() has it
/// (L2).
std::string to_printable(std::string_view text);
/// Of what another machine said: its beginning, as much as stands in a line.
std::string cut_foreign(std::string_view foreign, std::size_t code_points_max = 80);

/// The findings of one check, as it makes them.
class Findings {
 public:
  explicit Findings(std::string_view check) : check_(check) {}
  void ok(std::string what) { add(Severity::ok, std::move(what), {}); }
  void note(std::string what, std::string mend = {}) {
    add(Severity::note, std::move(what), std::move(mend));
  }
  void warning(std::string what, std::string mend) {
    add(Severity::warning, std::move(what), std::move(mend));
  }
  void error(std::string what, std::string mend) { add(Severity::error, std::move(what), std::move(mend)); }
  /// `good`, if nothing else was found.
  void otherwise_ok(std::string good) {
    if (list_.empty()) ok(std::move(good));
  }
  std::vector<Finding> take() { return std::move(list_); }

 private:
  void add(Severity severity, std::string what, std::string mend) {
    list_.push_back({severity, std::string{check_}, std::move(what), std::move(mend)});
  }
  std::string_view check_;
  std::vector<Finding> list_;
};

}  // namespace keyward::app
