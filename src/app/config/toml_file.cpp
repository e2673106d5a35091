#include "app/config/toml_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Its parser asserts that a key begins like one, which the text `[(` does not, and checks it once more where
// it reads the key. With NDEBUG it has the compiler take such a thing for true; so neither.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace keyward::app {
namespace {

constexpr std::size_t file_max_bytes = 1024 * 1024;

/// Texts only; a comma within one is taken for one between two.
RawValue to_raw(const toml::array& list) {
  RawValue value{RawValue::Kind::list, {}};
  for (const auto& node : list) {
    const auto* text = node.as_string();
    if (text == nullptr) return {RawValue::Kind::other, {}};
    value.text.append(value.text.empty() ? "" : ", ").append(text->get());
  }
  return value;
}

RawValue to_raw(const toml::node& node) {
  if (const auto* text = node.as_string()) return {RawValue::Kind::text, text->get()};
  if (const auto* number = node.as_integer()) return {RawValue::Kind::integer, std::to_string(number->get())};
  if (const auto* flag = node.as_boolean()) return {RawValue::Kind::boolean, flag->get() ? "true" : "false"};
  if (const auto* list = node.as_array()) return to_raw(*list);
  return {RawValue::Kind::other, {}};
}

bool is_known_section(std::string_view name) {
  return std::ranges::any_of(settings(), [&](const Setting& setting) {
    return setting.key.starts_with(name) && setting.key.substr(name.size()).starts_with('.');
  });
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& file,
             std::vector<FileEntry>& entries) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix.empty() ? std::string{name.str()} : prefix + "." + std::string{name.str()};
    const auto* inner = node.as_table();
    if (inner != nullptr && (!inner->empty() || is_known_section(key))) {
      flatten(*inner, key, file, entries);
    } else {
      const std::size_t line = name.source().begin.line;
      entries.push_back({key, to_raw(node), fmt::format("{}:{}", file, line), line});
    }
  }
}

}  // namespace

std::expected<std::vector<FileEntry>, ConfigError> read_toml_file(const std::filesystem::path& file) {
  std::error_code ignored;
  std::ifstream stream{file, std::ios::binary};
  if (!stream || !std::filesystem::is_regular_file(file, ignored)) {
    return std::unexpected{ConfigError{"", file.string(), "the file cannot be read"}};
  }
  if (std::filesystem::file_size(file, ignored) > file_max_bytes) {
    return std::unexpected{
        ConfigError{"", file.string(), fmt::format("the file is larger than {} bytes", file_max_bytes)}};
  }
  std::string content{std::istreambuf_iterator<char>{stream}, {}};
  auto parsed = toml::parse(content, file.string());
  wipe(content);
  if (!parsed) {
    const auto& error = parsed.error();
    return std::unexpected{ConfigError{"", fmt::format("{}:{}", file.string(), error.source().begin.line),
                                       "is not TOML: " + std::string{error.description()}}};
  }
  std::vector<FileEntry> entries;
  flatten(parsed.table(), "", file.string(), entries);
  std::ranges::sort(entries, {}, &FileEntry::line);  // as a person reads them
  return entries;
}

}  // namespace keyward::app
