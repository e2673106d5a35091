// Result and Error: how anything in Keyward says no.
//
// An expected refusal is a value (Result<T>); an exception means that the world broke (disk full, database
// gone).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyward {

/// What kind of refusal this is. One exhaustive switch in web/problem.cpp maps it to an HTTP status.
enum class ErrorCode : std::uint8_t {
  bad_request,             // 400: malformed, or a refusal that the contract says is 400
  invalid_credentials,     // 401: wrong password or unknown account, one answer for both
  invalid_token,           // 401 with a Bearer challenge (RFC 6750 §3.1)
  forbidden,               // 403
  not_found,               // 404
  method_not_allowed,      // 405
  request_timeout,         // 408
  conflict,                // 409
  payload_too_large,       // 413
  uri_too_long,            // 414
  unsupported_media_type,  // 415
  invalid_input,           // 422, with every bad field named
  too_many_requests,       // 429 with Retry-After
  headers_too_large,       // 431
  internal,                // 500
  unavailable,             // 503 with Retry-After
};

/// One bad field of an input, in the words of the person who sent it.
struct FieldError {
  std::string field;
  std::string message;
  bool operator==(const FieldError&) const = default;
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;             // public: the `detail` of the problem document
  std::string private_detail;      // for the log only; never leaves the process
  std::vector<FieldError> fields;  // for invalid_input
  int retry_after_s = 0;           // for too_many_requests and unavailable; 0 = not said
};

template <class T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorCode::not_found, "No such user");`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message,
                                                 std::string private_detail = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(private_detail), {}, 0});
}

/// A 422 that names one field.
[[nodiscard]] inline std::unexpected<Error> fail_field(std::string field, std::string message) {
  return std::unexpected(Error{
      ErrorCode::invalid_input, "The input has errors", {}, {{std::move(field), std::move(message)}}, 0});
}

/// `return fail_from(result);` passes another Result's error on.
template <class T>
[[nodiscard]] std::unexpected<Error> fail_from(Result<T>& failed) {
  return std::unexpected(std::move(failed).error());
}

}  // namespace keyward
