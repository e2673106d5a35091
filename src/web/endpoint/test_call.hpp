// For tests: asks a router for an answer without a socket.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "web/router.hpp"

namespace keyward::web::test {

struct Call {
  Method method = Method::get;
  std::string target;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<Header> headers = {};
};

/// Runs the handler to its end; throws what it throws. `call.body` is the storage that may be wiped.
inline Response ask(Handler& handler, Call& call) {
  Request request;
  request.method = call.method;
  request.target = call.target;
  const auto question = request.target.find('?');
  request.path = request.target.substr(0, question);
  if (question != std::string_view::npos) request.query = request.target.substr(question + 1);
  request.headers = call.headers;
  if (!call.content_type.empty()) request.headers.push_back({"Content-Type", call.content_type});
  request.body = call.body;
  request.body_storage = &call.body;
  request.client = {"192.0.2.1", "test"};
  request.id = "request-1";

  asio::io_context loop;
  std::optional<Response> response;
  std::exception_ptr failure;
  asio::co_spawn(loop.get_executor(), handler.handle(request),
                 [&](std::exception_ptr thrown, Response answer) {
                   failure = std::move(thrown);
                   response = std::move(answer);
                 });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(response).value();
}
// NOLINTNEXTLINE(cppcoreguidelines-rvalue-reference-param-not-moved): a name for a temporary
inline Response ask(Handler& handler, Call&& call) { return ask(handler, call); }

inline std::string header_of(const Response& response, std::string_view name) {
  for (const auto& [given, value] : response.headers) {
    if (given == name) return value;
  }
  return {};
}

}  // namespace keyward::web::test
