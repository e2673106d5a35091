// Request and Response as a feature sees them: plain data, no Beast, no socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "runtime/task.hpp"

namespace keyward::web {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

/// Who is on the other end of the connection.
struct Client {
  std::string address;     // textual: of the socket's peer, or a trusted proxy's word (client_address.hpp)
  std::string user_agent;  // cut at limits::user_agent_max_bytes
  std::string request_id;  // of the request it was taken from, for the log
};

struct Header {
  std::string_view name;   // as sent
  std::string_view value;  // without surrounding white space
};

/// One parsed request. The views point into the connection's buffers, which live until the answer is written.
struct Request {
  Method method = Method::other;
  std::string_view target;  // as sent, origin-form: path and query, still percent-encoded
  std::string_view path;    // the part before '?', still percent-encoded
  std::string_view query;   // the part after '?', without it
  std::vector<Header> headers;
  std::string_view body;
  /// The whole body's storage, so that a handler which took a password out of it can have it wiped.
  std::string* body_storage = nullptr;
  Client client;
  std::string id;            // the request id: on the answer and in every log line about it
  LogContext log_context;    // the same for the log, and the caller's trace
  std::size_t route = 0;     // which one of its handler's routes, from 1; 0: none. The router says
  std::string_view pattern;  // the route's path template: what the logs call it
  std::vector<std::pair<std::string_view, std::string>>
      path_parameters;  // filled by the router, percent-decoded
  /// What the answer will carry beside its own headers, whether it grants or refuses (AnswerHeaders sets
  /// them).
  std::vector<std::pair<std::string_view, std::string>> answer_headers;
  unsigned loop = 0;  // which loop serves this request, from 0: the index of whatever is kept per loop

  /// The value of the first header of that name (names compare without case); nothing when it is absent.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string body;
  std::string_view content_type = "application/json";  // a constant of ours; empty: no body, no Content-Type
  std::vector<std::pair<std::string_view, std::string>> headers;
  bool close = false;  // close the connection after this answer
  /// Instead of `body`: bytes that live as long as the process (an embedded asset), sent without a copy.
  std::string_view constant_body;

  [[nodiscard]] std::string_view content() const { return constant_body.empty() ? body : constant_body; }
};

/// Empty, with room for a usual body: what an earlier answer of this thread left, so that most answers
/// allocate nothing for theirs.
std::string take_body_storage();
/// For the next one; wiped.
void keep_body_storage(std::string body);

}  // namespace keyward::web
