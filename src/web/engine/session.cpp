#include "web/engine/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_suffix.hpp>

#include "base/log.hpp"
#include "web/engine/access_log.hpp"
#include "web/engine/session_state.hpp"

namespace keyward::web::engine {
namespace {

constexpr std::size_t copied_body_max_bytes = 8 * 1024;  // longer ones are gathered by the write, not copied
constexpr std::size_t output_full_bytes = 16 * 1024;
constexpr std::size_t output_small_bytes = 4 * 1024;
constexpr std::size_t linger_max_bytes = 1024 * 1024;
constexpr std::chrono::milliseconds linger_timeout{1500};

}  // namespace

Task<void> Session::run() {
  while (true) {
    begin_request();
    Step step = co_await receive();
    if (step == Step::complete) step = co_await receive_body();
    if (step == Step::refused) co_await refuse(refusal_);
    if (step != Step::complete) co_return;

    if (!co_await send(co_await ask_handler())) co_return;
    const bool keep_alive = exchange().head.keep_alive;
    end_request();
    if (close_) {
      // Only a client that still means to send can lose our answer to a reset; one that asked for the end
      // does not.
      if (co_await flush() && keep_alive) co_await linger();
      co_return;
    }
  }
}

void Session::begin_request() {
  finder_ = HeadFinder{};
  used_bytes_ = 0;
  head_begun_ = false;
  empty_line_skipped_ = false;
}

void Session::end_request() {
  Exchange& used = exchange();
  used.input.consume(used_bytes_);
  if (!used.body.empty()) wipe(used.body);
  used.request.path_parameters.clear();
  used.request.answer_headers.clear();
  if (used.is_small()) return;
  // So that a later small request is one, whatever this connection was asked before.
  used.body = std::string{};
  used.input.release();
  if (used.output.empty()) used.output = std::string{};
  loop_.count_held(used, used.capacity());
}

Task<Response> Session::ask_handler() {
  Exchange& current = exchange();
  connection_.enter_handling();
  if (!current.output.empty()) connection_.write_soon();
  loop_.counters().requests.add();
  handling_ = Stopwatch{};
  Response response;
  std::optional<std::string> failure;
  set_log_context(&current.request.log_context);
  try {
    response = co_await connection_.handler.handle(current.request);
    if (!AnswerWriter::is_sendable(response))
      failure = "the response has a status or a header that may not be sent";
  } catch (const std::exception& exception) {
    failure = exception.what();
  }
  set_log_context(nullptr);
  if (failure) response = handler_failed(*failure);
  co_return response;
}

Response Session::handler_failed(std::string_view reason) {
  const Request& request = exchange().request;
  {
    const LogScope scope{&request.log_context};
    log(LogLevel::error, "handler_failed", {{"path", request.path}, {"reason", reason}});
  }
  Response response = connection_.handler.refuse(500, "Something went wrong on our side", request.id);
  connection_.handler.dress(request, response);
  return response;
}

Task<bool> Session::send(Response response) {
  Exchange& current = exchange();
  const auto duration = handling_.passed();
  if (connection_.meters != nullptr)
    connection_.meters->count(current.request.route, response.status, duration);
  close_ = response.close || !current.head.keep_alive || loop_.draining();
  const AnswerFacts facts{.is_head = current.request.method == Method::head,
                          .is_http_1_0 = current.head.is_http_1_0,
                          .close = close_,
                          .request_id = current.request.id};
  loop_.answers().append_head(current.output, response, facts);
  bool alive = true;
  if (AnswerWriter::has_content(response, facts)) {
    const std::string_view content = response.content();
    if (content.size() <= copied_body_max_bytes) {
      current.output.append(content);
    } else {
      alive = co_await flush(content);
    }
  }
  if (alive && is_full(current.output)) alive = co_await flush();
  if (options().access_log) log_access(current.request, response, duration);
  if (response.constant_body.empty()) keep_body_storage(std::move(response.body));
  co_return alive;
}

// Answers to requests that came in one piece are gathered and written together, while there is room for that.
bool Session::is_full(const std::string& output) {
  if (output.size() >= output_full_bytes) return true;
  return output.capacity() > output_small_bytes && !loop_.may_hold(exchange());
}

// Each step has its time, and all of them together what a slow line needs, so that a reader cannot drip to
// stay.
std::int64_t Session::write_deadline(std::size_t bytes) {
  const auto whole = static_cast<std::int64_t>(bytes * 1000 / options().write_min_bytes_per_s);
  return coarse_now_ms() + options().write_timeout.count() + whole;
}

bool Session::enter_writing(std::int64_t deadline_ms) {
  const auto left = std::chrono::milliseconds{deadline_ms - coarse_now_ms()};
  if (left.count() <= 0) {
    loop_.counters().timeouts.add();
    return false;
  }
  connection_.enter(Phase::writing, std::min(options().write_timeout, left));
  return true;
}

// Writes the output, and `content` behind it. False when the peer is gone or too slow.
Task<bool> Session::flush(std::string_view content) {
  std::string& output = exchange().output;
  if (content.empty()) {
    if (!connection_.write_now()) co_return false;
    if (output.empty()) co_return true;
  }
  if (connection_.tls) co_return co_await flush_tls(content);
  boost::beast::buffers_suffix<std::array<asio::const_buffer, 2>> left{
      {asio::buffer(output), asio::buffer(content)}};
  bool alive = true;
  const auto deadline = write_deadline(asio::buffer_size(left));
  while (alive && asio::buffer_size(left) != 0) {
    alive = enter_writing(deadline);
    if (!alive) break;
    const auto [error, written] = co_await connection_.socket.async_write_some(left, quiet);
    left.consume(written);
    alive = !error;
  }
  wipe(output);
  if (output.capacity() > Exchange::kept_max_bytes) output = std::string{};
  co_return alive;
}

// The same over TLS, which takes one piece of memory at a time.
Task<bool> Session::flush_tls(std::string_view content) {
  std::string& output = exchange().output;
  bool alive = true;
  const auto deadline = write_deadline(output.size() + content.size());
  for (std::string_view left : {std::string_view{output}, content}) {
    while (alive && !left.empty()) {
      alive = enter_writing(deadline);
      if (!alive) break;
      const auto [error, written] = co_await connection_.write_tls(left);
      left.remove_prefix(written);
      alive = !error;
    }
  }
  wipe(output);
  if (output.capacity() > Exchange::kept_max_bytes) output = std::string{};
  co_return alive;
}

Task<void> Session::refuse(Refusal refusal) {
  loop_.counters().refused_requests.add();
  Exchange& current = connection_.attach();
  wipe(current.body);  // it will not be read, and the peer has time for our answer
  current.body = std::string{};
  loop_.count_held(current, current.capacity());
  if (used_bytes_ == 0)
    loop_.request_ids().next_into(current.request.id);  // no head that could be trusted for its id
  if (connection_.meters != nullptr) connection_.meters->count_refusal(refusal.status);
  Response response = connection_.handler.refuse(refusal.status, refusal.sentence, current.request.id);
  if (refusal.status == 405)
    response.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  if (refusal.status == 503) response.headers.emplace_back("Retry-After", "1");
  if (used_bytes_ != 0) connection_.handler.dress(current.request, response);
  const AnswerFacts facts{.is_head = used_bytes_ != 0 && current.request.method == Method::head,
                          .close = true,
                          .request_id = current.request.id};
  loop_.answers().append_head(current.output, response, facts);
  if (AnswerWriter::has_content(response, facts)) current.output.append(response.content());
  if (co_await flush()) co_await linger();
}

// RFC 9112 §9.6: closing with unread bytes resets the connection, and the reset can overtake our answer. So
// the peer gets a moment to read it, while what it still sends is dropped unread.
Task<void> Session::linger() {
  boost::system::error_code ignored;
  connection_.close_tls();
  connection_.socket.shutdown(asio::socket_base::shutdown_send, ignored);
  connection_.enter(Phase::lingering, linger_timeout);
  InputBuffer& input = exchange().input;
  input.truncate(0);
  input.make_room(input_bytes);
  for (std::size_t dropped = 0; dropped < linger_max_bytes;) {
    const auto [error, count] = co_await connection_.socket.async_read_some(tail_of(input), quiet);
    if (error) co_return;
    dropped += count;
  }
}

Task<void> serve(std::shared_ptr<Connection> connection) {
  if (connection->tls && !co_await connection->handshake()) co_return;
  Session session{*connection};
  co_await session.run();
  connection->close_tls();
}

Task<void> turn_away(std::shared_ptr<Connection> connection, std::string_view why) {
  // A handshake is work, which is what there is too much of.
  if (connection->tls) co_return;
  Session session{*connection};
  co_await session.refuse({503, why});
}

}  // namespace keyward::web::engine
