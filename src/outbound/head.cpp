#include "outbound/head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "base/limits.hpp"

namespace keyward::outbound {

namespace {

using std::chrono::seconds;

constexpr std::array<std::string_view, 10> own_fields{
    "host",    "user-agent", "content-length",  "content-type",     "transfer-encoding",
    "upgrade", "connection", "accept-encoding", "proxy-connection", "expect"};
constexpr std::string_view form_type = "application/x-www-form-urlencoded";

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string to_lower(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(), [](char c) { return to_lower(c); });
  return lower;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || marks.contains(c);
  });
}

bool is_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

std::string join(std::span<const std::string> texts) {
  std::string joined;
  for (const auto& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

Fetched<void> check_fields(std::span<const Field> fields) {
  for (const auto& field : fields) {
    if (!is_token(field.name) || !is_value(field.value))
      return Failure::of(Refusal::bad_url, "a field has a character that no field may have");
    if (std::ranges::find(own_fields, to_lower(field.name)) != own_fields.end())
      return Failure::of(Refusal::bad_url, fmt::format("{} is not the caller's to set", field.name));
  }
  return {};
}

/// One block of memory with all parts.
Secret concatenate(std::span<const std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  auto whole = Secret::of_size(size);
  auto place = whole.mutable_bytes().begin();
  for (const auto part : parts) place = std::ranges::copy(as_bytes(part), place).out;
  return whole;
}

/// RFC 9111 §1.2.2: what is no number is as good as 0, and one that is too large is the largest.
seconds read_seconds(std::string_view digits, seconds largest) {
  if (digits.empty() || !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
    return seconds{0};
  std::int64_t number = 0;
  const auto [stopped, error] = std::from_chars(digits.begin(), digits.end(), number);
  return error == std::errc{} ? std::min(seconds{number}, largest) : largest;
}

constexpr seconds longest{std::int64_t{1} << 31U};  // RFC 9111 §1.2.2

}  // namespace

Fetched<Secret> write_request(const Target& target, const Request& request) {
  if (auto checked = check_fields(request.fields); !checked) return std::unexpected(checked.error());
  const std::string_view origin = target.origin;
  const auto start =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Keyward\r\n", request.form ? "POST" : "GET",
                  target.path_and_query, origin.substr(origin.find("://") + 3));
  const auto accept = fmt::format("Accept: {}\r\n", join(request.content_types));
  const auto framing = request.form ? fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", form_type,
                                                  request.form->size())
                                    : std::string{};
  std::vector<std::string_view> parts{start};
  if (std::ranges::none_of(request.fields, [](const auto& f) { return to_lower(f.name) == "accept"; }))
    parts.emplace_back(accept);
  parts.emplace_back(framing);
  for (const auto& field : request.fields)
    parts.insert(parts.end(), {field.name, ": ", std::string_view{field.value}, "\r\n"});
  parts.emplace_back("\r\n");
  auto head = concatenate(parts);
  if (head.size() > limits::outbound_head_max_bytes)
    return Failure::of(Refusal::too_large, "the head of the request");
  if (!request.form) return head;
  if (request.form->size() > limits::outbound_body_max_bytes)
    return Failure::of(Refusal::too_large, "the form of the request");
  return concatenate(std::array{head.text(), std::string_view{*request.form}});
}

std::string media_type_of(std::string_view content_type) {
  return to_lower(trim(content_type.substr(0, content_type.find(';'))));
}

bool is_taken(std::string_view media_type, std::span<const std::string> taken) {
  return std::ranges::any_of(taken, [&](const auto& type) {
    return media_type == type || (type == "application/json" && media_type.starts_with("application/") &&
                                  media_type.ends_with("+json"));
  });
}

void read_cache_control(std::string_view value, std::optional<seconds>& max_age) {
  const auto hear = [&](seconds age) { max_age = max_age ? std::min(*max_age, age) : age; };
  while (!value.empty()) {
    const auto comma = value.find(',');
    const auto directive = trim(value.substr(0, comma));
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    const auto equals = directive.find('=');
    const auto name = to_lower(trim(directive.substr(0, equals)));
    if (name == "no-store" || name == "no-cache") hear(seconds{0});
    if (name != "max-age" || equals == std::string_view::npos) continue;
    auto digits = trim(directive.substr(equals + 1));
    if (digits.size() >= 2 && digits.starts_with('"') && digits.ends_with('"'))
      digits = digits.substr(1, digits.size() - 2);
    hear(read_seconds(digits, longest));
  }
}

seconds read_age(std::string_view value) { return read_seconds(trim(value), longest); }

}  // namespace keyward::outbound
