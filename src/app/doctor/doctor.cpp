#include "app/doctor/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "app/doctor/data_checks.hpp"
#include "app/doctor/file_checks.hpp"
#include "app/doctor/network_checks.hpp"
#include "app/doctor/provider_checks.hpp"
#include "app/doctor/redis_checks.hpp"
#include "app/doctor/settings_checks.hpp"
#include "app/mail_setup.hpp"
#include "base/shared_library.hpp"

namespace keyward::app {

namespace {

std::vector<Finding> check_templates(const Config& config) {
  Findings found{"templates"};
  if (const auto templates = load_templates(config); !templates)
    found.error(templates.error().message, "correct mail.templates or mail.locale");
  return found.take();
}

/// What is loaded only when it is first needed. (Without PostgreSQL's, where it is needed, no command gets so
/// far.)
std::vector<Finding> check_libraries(const Config& config) {
  Findings found{"libraries"};
  std::vector<std::pair<const char*, const char*>> needed{
      {libraries::idn2, "an address with a domain beyond ASCII is answered 500 without it"}};
  if (!config.mail.smtp_url.empty()) {
    for (const auto* name : {libraries::gmime, libraries::curl})
      needed.emplace_back(name, "no mail is sent without it");
  }
  for (const auto& [name, why] : needed) {
    try {
      const SharedLibrary library{name};
    } catch (const std::runtime_error& missing) {
      found.error(missing.what(), fmt::format("install {}: {}", name, why));
    }
  }
  found.otherwise_ok("what is loaded later is there");
  return found.take();
}

}  // namespace

std::string_view to_text(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return "ok";
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  std::unreachable();
}

namespace {

std::vector<Finding> look(const ConfigSources& sources, const Clock& clock) {
  Findings loading{"configuration"};
  const auto config = load_config(sources);
  if (!config) {
    for (const auto& error : config.error())
      loading.error(to_text(error), "`keyward config template` lists every setting");
    return loading.take();
  }
  loading.ok("every setting is known and good");

  auto all = loading.take();
  for (auto&& findings :
       {check_weak_settings(*config), check_proxy_trust(*config), check_templates(*config),
        check_secret_files(*config, sources.environment), check_master_key(*config),
        check_data_folder(*config), check_descriptors(*config), check_libraries(*config),
        check_data(*config, clock), check_certificate(*config, clock.now()), check_public_url(*config, clock),
        check_mail_server(*config), check_redis_server(*config), check_social_providers(*config)}) {
    std::ranges::copy(findings, std::back_inserter(all));
  }
  return all;
}

}  // namespace

std::vector<Finding> examine(const ConfigSources& sources, const Clock& clock) {
  auto all = look(sources, clock);
  for (auto& finding : all) {
    finding.what = to_printable(finding.what);
    finding.mend = to_printable(finding.mend);
  }
  return all;
}

bool is_healthy(const std::vector<Finding>& findings) {
  return std::ranges::none_of(findings,
                              [](const auto& finding) { return finding.severity == Severity::error; });
}

}  // namespace keyward::app
