#include "web/https_redirect.hpp"

#include "web/problem.hpp"

namespace keyward::web {

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
Task<Response> HttpsRedirect::handle(Request& request) {
  if (request.method != Method::get && request.method != Method::head) {
    auto response =
        to_problem({.code = ErrorCode::forbidden, .message = "This server is at " + origin_}, request);
    response.close = true;
    co_return response;
  }
  co_return Response{.status = 308,
                     .content_type = {},
                     .headers = {{"Location", origin_ + std::string{request.target}}},
                     .close = true};
}

Response HttpsRedirect::refuse(unsigned status, std::string_view sentence, const std::string& request_id) {
  return to_problem(status, sentence, request_id);
}

}  // namespace keyward::web
