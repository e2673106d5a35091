#include "domain/sessions/device_name.hpp"

#include <algorithm>
#include <array>

namespace keyward::domain {

namespace {

struct Mark {
  std::string_view in_user_agent;
  std::string_view name;
};

// In this order: nearly every browser also says that it is Chrome, Safari and Mozilla.
constexpr std::array browsers{
    Mark{"Edg/", "Edge"},
    Mark{"EdgA/", "Edge"},
    Mark{"EdgiOS/", "Edge"},
    Mark{"OPR/", "Opera"},
    Mark{"SamsungBrowser/", "Samsung Internet"},
    Mark{"Vivaldi/", "Vivaldi"},
    Mark{"FxiOS/", "Firefox"},
    Mark{"Firefox/", "Firefox"},
    Mark{"CriOS/", "Chrome"},
    Mark{"HeadlessChrome/", "Chrome"},
    Mark{"Chrome/", "Chrome"},
    Mark{"Version/", "Safari"},
};

// Android says Linux too, and an iPhone "like Mac OS X".
constexpr std::array systems{
    Mark{"Windows", "Windows"}, Mark{"Android", "Android"},     Mark{"iPhone", "iPhone"},
    Mark{"iPad", "iPad"},       Mark{"CrOS", "ChromeOS"},       Mark{"Macintosh", "macOS"},
    Mark{"Mac OS X", "macOS"},  Mark{"Darwin", "macOS or iOS"}, Mark{"Linux", "Linux"},
    Mark{"X11", "Unix"},
};

template <std::size_t count>
std::string_view find_name(const std::array<Mark, count>& marks, std::string_view user_agent) {
  const auto* found =
      std::ranges::find_if(marks, [&](const Mark& mark) { return user_agent.contains(mark.in_user_agent); });
  return found == marks.end() ? std::string_view{} : found->name;
}

/// The first product of the header (RFC 9110 §10.1.5) if it is a plain word: `curl/8.1` gives curl. One
/// with a dot would be a link where mails tell of the device.
std::string_view first_product(std::string_view user_agent) {
  constexpr std::size_t max_bytes = 40;
  const auto product = user_agent.substr(0, user_agent.find_first_of("/ "));
  const bool plain = std::ranges::all_of(product, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return plain && product.size() <= max_bytes && product != "Mozilla" ? product : std::string_view{};
}

}  // namespace

std::string name_device(std::string_view user_agent) {
  auto client = find_name(browsers, user_agent);
  if (client.empty()) client = first_product(user_agent);
  const auto system = find_name(systems, user_agent);
  if (client.empty() && system.empty()) return "Unknown device";
  if (client.empty()) return std::string{system};
  if (system.empty()) return std::string{client};
  return std::string{client} + " on " + std::string{system};
}

}  // namespace keyward::domain
