// How a value of each type is read, checked and shown: one overload of each per type of Target.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <ranges>

#include "app/config/settings.hpp"
#include "text/base64url.hpp"
#include "text/unicode.hpp"

namespace keyward::app {
namespace {

constexpr std::array<std::pair<std::string_view, LogLevel>, 4> log_levels{{{"debug", LogLevel::debug},
                                                                           {"info", LogLevel::info},
                                                                           {"warning", LogLevel::warning},
                                                                           {"error", LogLevel::error}}};

constexpr std::string_view mask = "********";

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::unexpected<std::string> refuse(const Setting& setting) {
  return std::unexpected{"must be " + allowed_values(setting)};
}

/// What stands between commas, without white space around it; nothing is left out but what is empty.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  for (const auto part : std::views::split(text, ',')) {
    std::string_view item{part.begin(), part.end()};
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) parts.emplace_back(item);
  }
  return parts;
}

/// Of an origin, or of the address of a page there.
std::string_view origin_of(std::string_view entry) {
  const auto scheme = entry.find("://");
  return scheme == std::string_view::npos ? entry : entry.substr(0, entry.find('/', scheme + 3));
}

std::optional<std::int64_t> parse_number(const Setting& setting, const RawValue& value) {
  if (value.kind != RawValue::Kind::untyped && value.kind != RawValue::Kind::integer) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto [stopped, error] = std::from_chars(value.text.data(), end, number);
  if (value.text.empty() || error != std::errc{} || stopped != end) return std::nullopt;
  if (number < setting.min || number > setting.max) return std::nullopt;
  return number;
}

std::optional<Bytes> parse_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* const digits = text.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, bytes[i], 16).ptr != digits + 2) {
      wipe(bytes.data(), bytes.size());
      return std::nullopt;
    }
  }
  return bytes;
}

std::optional<Secret> parse_master_key(std::string_view text) {
  constexpr std::size_t hex_digits = 2 * MasterKey::size_bytes;
  auto bytes = text.size() == hex_digits ? parse_hex(text) : text::parse_base64url(text);
  if (!bytes) return std::nullopt;
  Secret key{*bytes};
  wipe(bytes->data(), bytes->size());
  if (key.size() != MasterKey::size_bytes) return std::nullopt;
  return key;
}

bool is_text(const RawValue& value) {
  return value.kind == RawValue::Kind::untyped || value.kind == RawValue::Kind::text;
}

bool is_text_or_list(const RawValue& value) { return is_text(value) || value.kind == RawValue::Kind::list; }

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

std::expected<void, std::string> assign_text(const Setting& setting, std::string& target,
                                             const RawValue& value) {
  if (!is_text(value) || value.text.empty()) return refuse(setting);
  if (setting.is_public_url) {
    auto url = parse_public_url(value.text);
    if (!url) return std::unexpected{url.error()};
    target = std::move(*url);
    return {};
  }
  if (!setting.choices.empty() && std::ranges::find(setting.choices, value.text) == setting.choices.end()) {
    return refuse(setting);
  }
  if (has_control(value.text)) return refuse(setting);
  target = value.text;
  return {};
}

// Checked above: the bounds of each setting fit its type.
template <class Number>
std::expected<void, std::string> assign_number(const Setting& setting, Number& target,
                                               const RawValue& value) {
  const auto number = parse_number(setting, value);
  if (!number) return refuse(setting);
  target = static_cast<Number>(*number);
  return {};
}

std::expected<void, std::string> assign_bool(const Setting& setting, bool& target, const RawValue& value) {
  const bool may_be = value.kind == RawValue::Kind::untyped || value.kind == RawValue::Kind::boolean;
  if (!may_be || (value.text != "true" && value.text != "false")) return refuse(setting);
  target = value.text == "true";
  return {};
}

std::expected<void, std::string> assign_address(const Setting& setting, ListenAddress& target,
                                                const RawValue& value) {
  if (!is_text(value)) return refuse(setting);
  auto address = parse_listen_address(value.text);
  if (!address) return std::unexpected{address.error()};
  target = std::move(*address);
  return {};
}

std::expected<void, std::string> assign_log_level(const Setting& setting, LogLevel& target,
                                                  const RawValue& value) {
  const auto* level =
      std::ranges::find(log_levels, value.text, &std::pair<std::string_view, LogLevel>::first);
  if (!is_text(value) || level == log_levels.end()) return refuse(setting);
  target = level->second;
  return {};
}

}  // namespace

std::expected<void, std::string> assign(const Setting& setting, const Target& where, const RawValue& value) {
  using Outcome = std::expected<void, std::string>;
  if (!text::is_utf8(value.text))
    return std::unexpected{"is not UTF-8"};  // the environment may hold anything
  return std::visit(
      Overloaded{
          [&](bool* target) -> Outcome { return assign_bool(setting, *target, value); },
          [&](int* target) -> Outcome { return assign_number(setting, *target, value); },
          [&](std::size_t* target) -> Outcome { return assign_number(setting, *target, value); },
          [&](std::chrono::seconds* target) -> Outcome { return assign_number(setting, *target, value); },
          [&](std::string* target) -> Outcome { return assign_text(setting, *target, value); },
          [&](LogLevel* target) -> Outcome { return assign_log_level(setting, *target, value); },
          [&](std::filesystem::path* target) -> Outcome {
            if (!is_text(value) || value.text.empty() || value.text.find('\0') != std::string::npos)
              return refuse(setting);
            *target = value.text;
            return {};
          },
          [&](ListenAddress* target) -> Outcome { return assign_address(setting, *target, value); },
          [&](std::optional<ListenAddress>* target) -> Outcome {
            if (is_text(value) && value.text.empty()) {
              target->reset();
              return {};
            }
            return assign_address(setting, target->emplace(), value);
          },
          [&](StorageUrl* target) -> Outcome {
            if (!is_text(value)) return refuse(setting);
            auto url = parse_storage_url(value.text);
            if (!url) return std::unexpected{url.error()};
            *target = std::move(*url);
            return {};
          },
          [&](MasterKey* target) -> Outcome {
            auto key = is_text(value) ? parse_master_key(value.text) : std::nullopt;
            if (!key) return refuse(setting);
            target->bytes = std::move(*key);
            return {};
          },
          [&](web::TrustedProxies* target) -> Outcome {
            if (!is_text_or_list(value)) return refuse(setting);
            auto proxies = web::TrustedProxies::parse(value.text);
            if (!proxies) return std::unexpected{std::move(proxies).error().message};
            *target = std::move(*proxies);
            return {};
          },
          [&](web::Cors* target) -> Outcome {
            if (!is_text_or_list(value)) return refuse(setting);
            auto cors = web::Cors::parse(value.text);
            if (!cors) return std::unexpected{std::move(cors).error().message};
            *target = std::move(*cors);
            return {};
          },
          [&](Secret* target) -> Outcome {
            if (!is_text(value) || value.text.empty() || (!setting.has_lines && has_control(value.text)))
              return refuse(setting);
            *target = Secret{value.text};
            return {};
          },
          [&](std::vector<std::string>* target) -> Outcome {
            if (!is_text_or_list(value) || has_control(value.text)) return refuse(setting);
            if (setting.are_origins) {
              *target = split_list(value.text);
              for (auto& entry : *target) {
                if (entry == std::string{origin_of(entry)} + "/") entry.pop_back();  // no page: all of them
                if (auto origin = web::Cors::parse(origin_of(entry)); !origin)
                  return std::unexpected{std::move(origin).error().message};
              }
              return {};
            }
            *target = split_list(value.text);
            return {};
          },
      },
      where);
}

std::string shown_value(const Target& target) {
  return std::visit(
      Overloaded{
          [](const bool* value) -> std::string { return *value ? "true" : "false"; },
          [](const int* value) { return std::to_string(*value); },
          [](const std::size_t* value) { return std::to_string(*value); },
          [](const std::chrono::seconds* value) { return std::to_string(value->count()); },
          [](const std::string* value) { return value->empty() ? std::string{} : to_log_json(*value); },
          [](const std::filesystem::path* value) { return to_log_json(value->string()); },
          [](const LogLevel* value) {
            return to_log_json(
                std::ranges::find(log_levels, *value, &std::pair<std::string_view, LogLevel>::second)->first);
          },
          [](const ListenAddress* value) { return to_log_json(to_text(*value)); },
          [](const std::optional<ListenAddress>* value) {
            return *value ? to_log_json(to_text(**value)) : std::string{};
          },
          [](const StorageUrl* value) {
            return value->text.empty() ? std::string{} : to_log_json(to_text(*value));
          },
          [](const MasterKey* value) { return value->bytes.empty() ? std::string{} : std::string{mask}; },
          [](const web::TrustedProxies* value) { return to_log_json(value->text()); },
          [](const web::Cors* value) { return to_log_json(value->text()); },
          [](const Secret* value) { return value->empty() ? std::string{} : std::string{mask}; },
          [](const std::vector<std::string>* value) {
            return to_log_json(fmt::format("{}", fmt::join(*value, ", ")));
          },
      },
      target);
}

std::string allowed_values(const Setting& setting) {
  Config scratch;
  ProviderConfig scratch_provider;
  const auto number = [&](std::string_view what) {
    return fmt::format("{} from {} to {}", what, setting.min, setting.max);
  };
  return std::visit(
      Overloaded{
          [](const bool*) -> std::string { return "true or false"; },
          [&](const int*) { return number("a whole number"); },
          [&](const std::size_t*) { return number("a whole number"); },
          [&](const std::chrono::seconds*) { return number("a whole number of seconds"); },
          [&](const std::string*) -> std::string {
            if (!setting.choices.empty()) return fmt::format("one of {}", fmt::join(setting.choices, ", "));
            return setting.is_public_url ? "an http:// or https:// origin" : "a text that is not empty";
          },
          [](const std::filesystem::path*) -> std::string { return "a path"; },
          [](const LogLevel*) -> std::string { return "one of debug, info, warning, error"; },
          [](const ListenAddress*) -> std::string { return "ADDRESS:PORT"; },
          [](const std::optional<ListenAddress>*) -> std::string { return "ADDRESS:PORT"; },
          [](const StorageUrl*) -> std::string {
            return "postgres://USER:PASSWORD@HOST:PORT/DATABASE or the path of a SQLite file";
          },
          [](const MasterKey*) -> std::string {
            return "32 bytes, as 64 hexadecimal digits or as 43 characters of base64url";
          },
          [](const web::TrustedProxies*) -> std::string {
            return "addresses and networks with commas between them, such as 10.0.0.0/8";
          },
          [](const web::Cors*) -> std::string {
            return "origins as https://app.example.com, in a list or with commas between them";
          },
          [](const Secret*) -> std::string { return "a text that is not empty"; },
          [&](const std::vector<std::string>*) -> std::string {
            return setting.are_origins ? "https://app.example.com, or https://app.example.com/one/page, in a "
                                         "list or with commas between them"
                                       : "texts, in a list or with commas between them";
          },
      },
      setting.target != nullptr ? setting.target(scratch) : setting.provider_target(scratch_provider));
}

}  // namespace keyward::app
