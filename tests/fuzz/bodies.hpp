// Reads an input as the body of a request: for the targets json and form.
#pragma once

#include <string>

#include "fuzz.hpp"
#include "text/unicode.hpp"
#include "web/endpoint/input.hpp"

namespace keyward::fuzz {

inline constexpr std::size_t errors_max = 32;

inline void check_refusal(const Error& error) {
  must_hold(text::is_utf8(error.message) && !error.message.empty(), "a refusal has a sentence in UTF-8");
  must_hold(error.fields.size() <= errors_max, "the bad fields that are named are bounded");
  must_hold((error.code == ErrorCode::invalid_input) == !error.fields.empty(), "bad input names its fields");
  for (const FieldError& field : error.fields) {
    must_hold(text::is_utf8(field.field) && field.field.size() <= 512,
              "a field has a name in UTF-8, and a bounded one");
    must_hold(is_sentence(field.message), "and a sentence");
  }
}

template <class T>
Result<T> read(std::string_view body, std::string_view content_type, web::Unknown unknown) {
  T to{};
  std::string storage{body};
  web::Request request;
  request.headers = {{"Content-Type", content_type}};
  request.body = storage;
  request.body_storage = &storage;
  auto done = web::read_body(web::type_info<T>, unknown, &to, request);
  if (web::holds_secret(web::type_info<T>)) must_hold(storage.empty(), "a body with a secret is wiped");
  if (!done) {
    check_refusal(done.error());
    return fail_from(done);
  }
  return to;
}

}  // namespace keyward::fuzz
