#include "web/problem.hpp"

#include <array>
#include <utility>

#include "base/log.hpp"
#include "web/endpoint/encode.hpp"

namespace keyward::web {

namespace {

struct Kind {
  unsigned status;
  std::string_view name;
};

Kind kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_request:
      return {400, "bad-request"};
    case ErrorCode::invalid_credentials:
      return {401, "invalid-credentials"};
    case ErrorCode::invalid_token:
      return {401, "invalid-token"};
    case ErrorCode::forbidden:
      return {403, "forbidden"};
    case ErrorCode::not_found:
      return {404, "not-found"};
    case ErrorCode::method_not_allowed:
      return {405, "method-not-allowed"};
    case ErrorCode::request_timeout:
      return {408, "request-timeout"};
    case ErrorCode::conflict:
      return {409, "conflict"};
    case ErrorCode::payload_too_large:
      return {413, "payload-too-large"};
    case ErrorCode::uri_too_long:
      return {414, "uri-too-long"};
    case ErrorCode::unsupported_media_type:
      return {415, "unsupported-media-type"};
    case ErrorCode::invalid_input:
      return {422, "invalid-input"};
    case ErrorCode::too_many_requests:
      return {429, "too-many-requests"};
    case ErrorCode::headers_too_large:
      return {431, "headers-too-large"};
    case ErrorCode::internal:
      return {500, "internal"};
    case ErrorCode::unavailable:
      return {503, "unavailable"};
  }
  std::unreachable();
}

/// Statuses that only the engine answers have no type of their own (RFC 9457 §4.2.1).
std::string type_of(unsigned status) {
  static constexpr std::array codes{ErrorCode::bad_request,
                                    ErrorCode::not_found,
                                    ErrorCode::method_not_allowed,
                                    ErrorCode::request_timeout,
                                    ErrorCode::payload_too_large,
                                    ErrorCode::uri_too_long,
                                    ErrorCode::unsupported_media_type,
                                    ErrorCode::headers_too_large,
                                    ErrorCode::internal,
                                    ErrorCode::unavailable};
  for (const auto code : codes) {
    if (kind_of(code).status == status) return "urn:keyward:problem:" + std::string{kind_of(code).name};
  }
  return "about:blank";
}

void write_member(std::string_view name, std::string_view text, std::string& out) {
  out += out.empty() ? "{\"" : ",\"";
  out.append(name).append("\":");
  write_json_text(text, out);
}

std::string document(std::string_view type, unsigned status, std::string_view detail,
                     const std::vector<FieldError>& fields, std::string_view request_id) {
  std::string out;
  write_member("type", type, out);
  write_member("title", title_of(status), out);
  out += ",\"status\":" + std::to_string(status);
  write_member("detail", detail.empty() ? title_of(status) : detail, out);
  if (!fields.empty()) {
    out += ",\"errors\":[";
    for (const auto& [field, message] : fields) {
      out += out.back() == '[' ? "{\"field\":" : ",{\"field\":";
      write_json_text(field, out);
      write_member("message", message, out);
      out += '}';
    }
    out += ']';
  }
  if (!request_id.empty()) write_member("request_id", request_id, out);
  return out += '}';
}

}  // namespace

unsigned status_of(ErrorCode code) { return kind_of(code).status; }
std::string_view problem_name(ErrorCode code) { return kind_of(code).name; }

std::string_view title_of(unsigned status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

Response to_problem(const Error& error, const Request& request) {
  const auto [status, name] = kind_of(error.code);
  if (!error.private_detail.empty()) {
    log(status >= 500 ? LogLevel::error : LogLevel::debug, "request_refused",
        {{"request_id", request.id}, {"problem", name}, {"detail", error.private_detail}});
  }
  Response response{.status = status,
                    .body = document("urn:keyward:problem:" + std::string{name}, status, error.message,
                                     error.fields, request.id),
                    .content_type = "application/problem+json"};
  if (error.retry_after_s > 0)
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  if (status == 401) {
    const bool spoiled =
        error.code == ErrorCode::invalid_token && request.header("Authorization").has_value();
    response.headers.emplace_back("WWW-Authenticate", spoiled ? "Bearer error=\"invalid_token\"" : "Bearer");
  }
  return response;
}

Response to_problem(unsigned status, std::string_view detail, const std::string& request_id) {
  return {.status = status,
          .body = document(type_of(status), status, detail, {}, request_id),
          .content_type = "application/problem+json"};
}

}  // namespace keyward::web
