#include "web/engine/head.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "web/engine/field_syntax.hpp"

namespace keyward::web::engine {
namespace {

constexpr std::size_t method_and_version_max_bytes = 32;

// How often each field that the engine itself reads was seen, and what has to be decided when all are read.
struct Seen {
  bool host = false;
  bool content_length = false;
  bool transfer_encoding = false;
  bool close = false;
  bool keep_alive = false;
  bool traceparent = false;
};

std::expected<Method, Refusal> check_method(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Method>, 7> known{{{"GET", Method::get},
                                                                      {"POST", Method::post},
                                                                      {"HEAD", Method::head},
                                                                      {"PUT", Method::put},
                                                                      {"PATCH", Method::patch},
                                                                      {"DELETE", Method::delete_},
                                                                      {"OPTIONS", Method::options}}};
  for (const auto& [name, method] : known) {
    if (text == name) return method;
  }
  if (text == "TRACE" || text == "CONNECT") return std::unexpected(Refusal{405, "The method is not allowed"});
  if (text.empty() || !all(text, character::token)) {
    return std::unexpected(Refusal{400, "The request line is malformed"});
  }
  return std::unexpected(Refusal{501, "The method is unknown"});
}

std::optional<Refusal> check_version(std::string_view text, Head& head) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is(text[5], character::digit) || text[6] != '.' ||
      !is(text[7], character::digit)) {
    return Refusal{400, "The request line is malformed"};
  }
  if (text[5] != '1') return Refusal{505, "Only HTTP/1.1 and HTTP/1.0 are spoken here"};
  head.is_http_1_0 = text[7] == '0';  // a higher minor version is answered as 1.1 (RFC 9110 §2.5)
  return std::nullopt;
}

// RFC 9112 §3.2.2: the path and query of an absolute-form target; nothing when it is not one.
std::optional<std::string_view> strip_authority(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = target.substr(0, colon);
  if (!equal_without_case(scheme, "http") && !equal_without_case(scheme, "https")) return std::nullopt;
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (!is_host(rest.substr(0, end))) return std::nullopt;
  return rest.substr(end);
}

std::optional<Refusal> check_target(std::string_view text, const HeadLimits& limits, Head& head) {
  constexpr Refusal malformed{400, "The request target is malformed"};
  if (text.size() > limits.uri_max_bytes) return Refusal{414, "The request target is too long"};
  if (text.empty() || !all(text, character::target)) return malformed;
  if (text == "*") {
    if (head.method != Method::options) return malformed;
    head.target = head.path = text;
    head.query = {};
    return std::nullopt;
  }
  if (text.front() != '/') {
    const auto stripped = strip_authority(text);
    if (!stripped) return malformed;
    text = *stripped;
  }
  const std::size_t question = text.find('?');
  head.target = text.empty() ? std::string_view{"/"} : text;
  head.path = text.substr(0, question);
  if (head.path.empty()) head.path = "/";  // "http://host?query"
  head.query = question == std::string_view::npos ? std::string_view{} : text.substr(question + 1);
  return std::nullopt;
}

std::optional<Refusal> check_request_line(std::string_view line, const HeadLimits& limits, Head& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return Refusal{400, "The request line is malformed"};
  const std::string_view version = line.substr(last + 1);
  const std::string_view method = line.substr(0, first);
  if (method == "PRI") return Refusal{400, "HTTP/2 is not spoken here"};  // the preface of RFC 9113 §3.4
  if (auto refusal = check_version(version, head)) return refusal;
  const auto known = check_method(method);
  if (!known) return known.error();
  head.method = *known;
  return check_target(line.substr(first + 1, last - first - 1), limits, head);
}

std::optional<Refusal> read_content_length(std::string_view value, Seen& seen, Head& head) {
  // Even equal duplicates and lists are refused, which RFC 9112 §6.3 allows: nobody honest sends them.
  constexpr std::size_t digits_max = 18;  // fits 64 bits without a check for overflow
  if (std::exchange(seen.content_length, true)) return Refusal{400, "There are two Content-Length headers"};
  if (value.empty() || value.size() > digits_max || !all(value, character::digit)) {
    return Refusal{400, "Content-Length is not a number"};
  }
  std::uint64_t length = 0;
  for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  head.content_length_bytes = length;
  return std::nullopt;
}

std::optional<Refusal> read_transfer_encoding(std::string_view value, Seen& seen, Head& head) {
  if (std::exchange(seen.transfer_encoding, true) || !equal_without_case(value, "chunked")) {
    return Refusal{400, "Transfer-Encoding must be chunked, once"};
  }
  head.chunked = true;
  return std::nullopt;
}

void read_connection(std::string_view list, Seen& seen) {
  while (!list.empty()) {
    const std::string_view option = take_list_element(list);
    seen.close = seen.close || equal_without_case(option, "close");
    seen.keep_alive = seen.keep_alive || equal_without_case(option, "keep-alive");
  }
}

std::optional<Refusal> read_host(std::string_view value, Seen& seen) {
  if (std::exchange(seen.host, true)) return Refusal{400, "There are two Host headers"};
  if (!is_host(value)) return Refusal{400, "The Host header is malformed"};
  return std::nullopt;
}

std::optional<Refusal> read_expect(std::string_view value, Head& head) {
  if (!equal_without_case(value, "100-continue")) return Refusal{417, "Only 100-continue can be expected"};
  head.expects_continue = true;
  return std::nullopt;
}

// The fields that the engine itself acts on; the length of the name tells most others apart at once.
std::optional<Refusal> read_field(const Header& field, Seen& seen, Head& head) {
  const auto named = [&](std::string_view name) { return equal_without_case(field.name, name); };
  switch (field.name.size()) {
    case 4:
      if (named("host")) return read_host(field.value, seen);
      break;
    case 6:
      if (named("expect")) return read_expect(field.value, head);
      break;
    case 10:
      if (named("connection"))
        read_connection(field.value, seen);
      else if (named("user-agent"))
        head.user_agent = field.value;
      break;
    case 11:
      if (named("traceparent"))
        head.traceparent = std::exchange(seen.traceparent, true) ? std::string_view{} : field.value;
      break;
    case 12:
      if (named("x-request-id") && field.value.size() >= 8 && field.value.size() <= 64 &&
          all(field.value, character::request_id)) {
        head.request_id = field.value;
      }
      break;
    case 14:
      if (named("content-length")) return read_content_length(field.value, seen, head);
      break;
    case 16:
      if (named("content-encoding") && !equal_without_case(field.value, "identity")) {
        return Refusal{415, "Encoded bodies are not taken; send the body as it is"};
      }
      break;
    case 17:
      if (named("transfer-encoding")) return read_transfer_encoding(field.value, seen, head);
      break;
    default:
      break;
  }
  return std::nullopt;
}

std::optional<Refusal> check_together(const Seen& seen, Head& head) {
  if (!seen.host && !head.is_http_1_0) return Refusal{400, "The Host header is missing"};
  if (seen.content_length && seen.transfer_encoding) {
    return Refusal{400, "Content-Length and Transfer-Encoding exclude each other"};
  }
  if (seen.transfer_encoding && head.is_http_1_0) return Refusal{400, "HTTP/1.0 has no Transfer-Encoding"};
  if (head.is_http_1_0) head.expects_continue = false;  // RFC 9110 §10.1.1
  head.keep_alive = !seen.close && (!head.is_http_1_0 || seen.keep_alive);
  return std::nullopt;
}

}  // namespace

std::expected<std::size_t, Refusal> HeadFinder::find(std::string_view text, const HeadLimits& limits) {
  // Tells TLS and other protocols at their first byte, instead of waiting for a line that never comes.
  if (!text.empty() && !is(text.front(), character::token)) {
    return std::unexpected(Refusal{400, "This is not an HTTP request"});
  }
  const std::size_t request_line_max_bytes = limits.uri_max_bytes + method_and_version_max_bytes;
  while (searched_ < text.size()) {
    const void* found = std::memchr(text.data() + searched_, '\n', text.size() - searched_);
    if (found == nullptr) break;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    // Before anything else is said of the line: in pieces it would be refused before its end is seen.
    if (end >= limits.header_max_bytes || (line_begin_ == 0 && end >= request_line_max_bytes)) break;
    if (end == line_begin_ || text[end - 1] != '\r') {
      return std::unexpected(Refusal{400, "A line must end with CR LF"});
    }
    searched_ = end + 1;
    if (end - 1 == line_begin_) return searched_;
    line_begin_ = searched_;
  }
  searched_ = std::max(searched_, text.size());
  if (line_begin_ == 0 && text.size() > request_line_max_bytes) {
    return std::unexpected(Refusal{414, "The request target is too long"});
  }
  if (text.size() > limits.header_max_bytes)
    return std::unexpected(Refusal{431, "The headers are too large"});
  return 0;
}

std::optional<Refusal> check_head(std::string_view text, const HeadLimits& limits, Head& head) {
  std::vector<Header> headers = std::move(head.headers);
  headers.clear();
  head = Head{};
  head.headers = std::move(headers);

  Seen seen;
  std::size_t begin = text.find("\r\n");
  if (begin == std::string_view::npos) return Refusal{400, "The request line is malformed"};
  if (auto refusal = check_request_line(text.substr(0, begin), limits, head)) return refusal;
  begin += 2;
  while (true) {
    const std::size_t end = text.find("\r\n", begin);
    if (end == std::string_view::npos) return Refusal{400, "A line must end with CR LF"};
    if (end == begin) break;
    const auto field = check_field_line(text.substr(begin, end - begin));
    if (!field) return field.error();
    if (head.headers.size() == limits.header_max_count) return Refusal{431, "There are too many headers"};
    head.headers.push_back(*field);
    if (auto refusal = read_field(*field, seen, head)) return refusal;
    begin = end + 2;
  }
  return check_together(seen, head);
}

}  // namespace keyward::web::engine
