// keyward doctor
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/commands/command.hpp"
#include "app/doctor/doctor.hpp"

namespace keyward::app {

namespace json = boost::json;

int doctor(const CommonFlags& flags) {
  // What it looks at logs too; here the findings say it.
  set_log_level(LogLevel::error);
  const auto findings =
      examine({.file = flags.config_file, .environment = process_environment(), .flags = flags.settings},
              SystemClock{});
  json::array items;
  for (const auto& [severity, check, what, mend] : findings) {
    if (flags.json) {
      items.push_back(
          json::object{{"severity", to_text(severity)}, {"check", check}, {"what", what}, {"mend", mend}});
    } else {
      fmt::print("{:<8} {:<14} {}{}{}\n", to_text(severity), check, what, mend.empty() ? "" : " → ", mend);
    }
  }
  const bool healthy = is_healthy(findings);
  if (flags.json) {
    fmt::print("{}\n", json::serialize(json::object{
                           {"healthy", healthy}, {"items", std::move(items)}, {"next", nullptr}}));
  }
  return healthy ? exit_done : exit_failed;
}

}  // namespace keyward::app
