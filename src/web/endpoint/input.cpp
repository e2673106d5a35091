#include "web/endpoint/input.hpp"

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <cstring>

#include "base/limits.hpp"
#include "text/json.hpp"
#include "text/wiping_memory.hpp"
#include "web/endpoint/decode.hpp"
#include "web/endpoint/urlencoded.hpp"

namespace keyward::web {

namespace {

namespace json = boost::json;

enum class MediaType : std::uint8_t { json, form, other };

constexpr std::string_view white_space = " \t";

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(white_space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

bool equal_without_case(std::string_view a, std::string_view lower_case) {
  return std::ranges::equal(a, lower_case, [](char left, char right) {
    return (left >= 'A' && left <= 'Z' ? static_cast<char>(left + ('a' - 'A')) : left) == right;
  });
}

/// RFC 9110 §8.3.1. The one parameter that means something here is a charset that says UTF-8.
MediaType media_type_of(std::string_view content_type) {
  const auto semicolon = content_type.find(';');
  const auto type = trim(content_type.substr(0, semicolon));
  if (semicolon != std::string_view::npos) {
    const auto parameter = trim(content_type.substr(semicolon + 1));
    if (!parameter.empty() && !equal_without_case(parameter, "charset=utf-8") &&
        !equal_without_case(parameter, "charset=\"utf-8\"")) {
      return MediaType::other;
    }
  }
  if (equal_without_case(type, "application/json")) return MediaType::json;
  if (equal_without_case(type, "application/x-www-form-urlencoded")) return MediaType::form;
  return MediaType::other;
}

Result<MediaType> body_type(const Request& request) {
  const auto named = [](std::string_view name) {
    return [name](const Header& header) { return equal_without_case(header.name, name); };
  };
  if (std::ranges::count_if(request.headers, named("content-type")) > 1) {
    return fail(ErrorCode::bad_request, "There are two Content-Type headers");
  }
  if (std::ranges::any_of(request.headers, named("content-encoding"))) {
    return fail(ErrorCode::unsupported_media_type, "The body must not be compressed");
  }
  const auto type = media_type_of(request.header("Content-Type").value_or(""));
  if (type == MediaType::other) {
    return fail(ErrorCode::unsupported_media_type,
                "The body must be application/json or application/x-www-form-urlencoded");
  }
  return type;
}

Result<void> refuse_if_any(std::vector<FieldError> errors) {
  if (errors.empty()) return {};
  return std::unexpected(Error{ErrorCode::invalid_input, "The input has errors", {}, std::move(errors), 0});
}

Result<void> read_json_body(const TypeInfo& type, Unknown unknown, void* to, std::string_view body,
                            const json::storage_ptr& storage) {
  auto parsed = text::parse_json(body, {}, storage);
  if (!parsed) return fail_from(parsed);
  if (!parsed->is_object()) return fail(ErrorCode::bad_request, "The body must be a JSON object");
  return refuse_if_any(decode(type, *parsed, to, {.unknown = unknown}));
}

Result<void> read_urlencoded_into(const TypeInfo& type, Unknown unknown, void* to, std::string_view text,
                                  std::size_t pairs_max, const json::storage_ptr& storage) {
  json::value pairs(json::object_kind, storage);
  if (auto read = read_urlencoded(text, pairs_max, pairs.get_object()); !read) return fail_from(read);
  return refuse_if_any(decode(type, pairs, to, {.unknown = unknown, .from_text = true}));
}

Result<void> read_body_in(const TypeInfo& type, Unknown unknown, void* to, const Request& request,
                          const json::storage_ptr& storage) {
  if (request.body.empty()) return fail(ErrorCode::bad_request, "The body is empty");
  auto media_type = body_type(request);
  if (!media_type) return fail_from(media_type);
  if (*media_type == MediaType::json) return read_json_body(type, unknown, to, request.body, storage);
  return read_urlencoded_into(type, unknown, to, request.body, limits::http_query_parameters_max, storage);
}

/// The parser unescapes long strings piece by piece in a buffer on the stack; this writes over where that
/// was.
[[gnu::noinline]] void wipe_stack() {
  std::array<char, 16384> below{};
  wipe(below.data(), below.size());
}

}  // namespace

Result<void> read_body(const TypeInfo& type, Unknown unknown, void* to, Request& request) {
  if (!holds_secret(type)) {
    std::array<unsigned char, 2048> buffer{};
    json::monotonic_resource memory{buffer.data(), buffer.size()};
    return read_body_in(type, unknown, to, request, &memory);
  }
  text::WipingMemory memory;
  auto read = read_body_in(type, unknown, to, request, &memory);
  wipe_stack();
  request.body = {};
  if (request.body_storage != nullptr) wipe(*request.body_storage);
  return read;
}

Result<void> read_query(const TypeInfo& type, Unknown unknown, void* to, const Request& request) {
  return read_urlencoded_into(type, unknown, to, request.query, limits::http_query_parameters_max, {});
}

Result<void> read_path_parameter(const TypeInfo& type, std::string_view name, void* to,
                                 const Request& request) {
  const auto found =
      std::ranges::find(request.path_parameters, name, &std::pair<std::string_view, std::string>::first);
  if (found == request.path_parameters.end()) return fail(ErrorCode::internal, {}, "no such path parameter");
  const json::value text(json::string_view(found->second));
  if (!decode(type, text, to, {.from_text = true}).empty())
    return fail(ErrorCode::not_found, "There is nothing here");
  return {};
}

}  // namespace keyward::web
