#include "web/engine/session.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <optional>

#include "base/log.hpp"
#include "web/engine/chunked_body.hpp"
#include "web/engine/loop.hpp"

namespace keyward::web::engine {
namespace {

constexpr std::size_t input_bytes = 2 * 1024;             // room for the first read of a head
constexpr std::size_t chunk_room_min_bytes = 1024;        // room behind a head for the chunks of its body
constexpr std::size_t copied_body_max_bytes = 16 * 1024;  // longer ones are gathered by the write, not copied
constexpr std::size_t output_full_bytes = 64 * 1024;
constexpr std::size_t linger_max_bytes = 1024 * 1024;
constexpr std::chrono::milliseconds linger_timeout{1500};
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

// more: bytes have come. refused: refusal_ says why. gone: the connection ends without another word.
enum class Step : std::uint8_t { complete, more, refused, gone };

asio::mutable_buffer tail_of(InputBuffer& input) {
  const std::span<char> tail = input.tail();
  return {tail.data(), tail.size()};
}

class Session {
 public:
  explicit Session(Connection& connection) : connection_(connection), loop_(connection.loop) {}

  Task<void> run();
  Task<void> refuse(Refusal refusal);

 private:
  Task<Step> receive();
  Step look_for_head();
  Step take_head(std::size_t head_bytes);
  Task<Step> receive_body();
  Task<Step> receive_sized_body(std::size_t length_bytes);
  Task<Step> receive_chunked_body();
  Task<Step> fill();
  Step read_what_is_there();
  Step after_failed_read(const boost::system::error_code& error);
  Task<Step> read_body_bytes(asio::mutable_buffer into, std::size_t& count);
  Task<Response> ask_handler();
  Task<bool> send(Response response);
  Task<bool> flush(std::string_view content = {});
  Task<void> linger();
  void begin_request();
  void end_request();
  void log_access(const Response& response) const;
  Step refused(Refusal refusal) {
    refusal_ = refusal;
    return Step::refused;
  }
  Exchange& exchange() { return *connection_.exchange; }
  const ServerOptions& options() { return loop_.options(); }

  Connection& connection_;
  Loop& loop_;
  Refusal refusal_;
  HeadFinder finder_;
  std::size_t used_bytes_ = 0;  // at the front of the input: the request that is being answered
  std::chrono::steady_clock::time_point received_;
  bool head_begun_ = false;
  bool empty_line_skipped_ = false;
  bool close_ = false;
};

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
  if (used.body.capacity() > Exchange::kept_max_bytes) used.body = std::string{};
  used.request.path_parameters.clear();
}

// ---- reading
// ----------------------------------------------------------------------------------------------------

Task<Step> Session::receive() {
  while (true) {
    Step step = look_for_head();
    if (step != Step::more) co_return step;
    step = co_await fill();
    if (step != Step::more) co_return step;
  }
}

Step Session::look_for_head() {
  if (!connection_.exchange) return Step::more;
  InputBuffer& input = exchange().input;
  if (input.text().starts_with("\r\n") && !std::exchange(empty_line_skipped_, true))
    input.consume(2);  // RFC 9112 §2.2
  if (input.empty() || (input.text() == "\r" && !empty_line_skipped_)) return Step::more;
  const auto head_bytes = finder_.find(input.text(), loop_.head_limits());
  if (!head_bytes) return refused(head_bytes.error());
  return *head_bytes == 0 ? Step::more : take_head(*head_bytes);
}

Step Session::take_head(std::size_t head_bytes) {
  Exchange& current = exchange();
  if (auto refusal =
          check_head(current.input.text().substr(0, head_bytes), loop_.head_limits(), current.head)) {
    return refused(*refusal);
  }
  if (current.head.chunked && current.input.tail().size() < chunk_room_min_bytes) {
    current.input.make_room(
        input_bytes);  // moves the head, so it is read once more; it was right a moment ago
    (void)check_head(current.input.text().substr(0, head_bytes), loop_.head_limits(), current.head);
  }
  used_bytes_ = head_bytes;
  Head& head = current.head;
  Request& request = current.request;
  request.method = head.method;
  request.target = head.target;
  request.path = head.path;
  request.query = head.query;
  std::swap(request.headers, head.headers);
  request.client.user_agent.assign(head.user_agent.substr(0, limits::user_agent_max_bytes));
  if (head.request_id.empty()) {
    loop_.request_ids().next_into(request.id);
  } else {
    request.id.assign(head.request_id);
  }
  return Step::complete;
}

// Reads more of the head, after everything that is ready to go has gone.
Task<Step> Session::fill() {
  if (connection_.exchange && !exchange().output.empty() && !co_await flush()) co_return Step::gone;
  if (!connection_.exchange || exchange().input.empty()) {
    if (loop_.draining()) co_return read_what_is_there();
    if (connection_.exchange && loop_.is_crowded()) connection_.park();
    connection_.enter(Phase::idle, options().idle_timeout);
  } else if (!std::exchange(head_begun_, true)) {
    connection_.enter(Phase::head, options().header_timeout);
  }
  while (true) {
    if (!connection_.exchange) {  // an idle connection waits without a buffer
      const auto [error] = co_await connection_.socket.async_wait(asio::socket_base::wait_read, quiet);
      if (error) co_return after_failed_read(error);
      connection_.attach();
    }
    InputBuffer& input = exchange().input;
    input.make_room(input.empty() ? input_bytes : input_bytes / 4);
    const auto [error, count] = co_await connection_.socket.async_read_some(tail_of(input), quiet);
    if (!error) {
      input.commit(count);
      co_return Step::more;
    }
    if (error == asio::error::operation_aborted && std::exchange(connection_.park_wanted, false)) {
      connection_.park();
      continue;
    }
    co_return after_failed_read(error);
  }
}

// Without waiting; nothing there is the same as an end.
Step Session::read_what_is_there() {
  InputBuffer& input = connection_.attach().input;
  input.make_room(input_bytes);
  boost::system::error_code error;
  const std::size_t count = connection_.socket.read_some(tail_of(input), error);
  if (error) return Step::gone;
  input.commit(count);
  return Step::more;
}

Step Session::after_failed_read(const boost::system::error_code& error) {
  if (error != asio::error::operation_aborted) return Step::gone;
  if (connection_.phase == Phase::idle) {
    // A drain or the idle time-out; a request that came at the same moment is still answered.
    return connection_.timed_out ? Step::gone : read_what_is_there();
  }
  return refused({408, "The request took too long"});
}

Task<Step> Session::receive_body() {
  Exchange& current = exchange();
  current.body.clear();
  current.request.body = {};
  if (current.head.chunked) co_return co_await receive_chunked_body();
  const std::uint64_t length_bytes = current.head.content_length_bytes.value_or(0);
  if (length_bytes > options().body_max_bytes) co_return refused({413, "The body is too large"});
  if (length_bytes == 0) co_return Step::complete;
  co_return co_await receive_sized_body(static_cast<std::size_t>(length_bytes));
}

Task<Step> Session::receive_sized_body(std::size_t length_bytes) {
  Exchange& current = exchange();
  const std::string_view there = current.input.text().substr(used_bytes_, length_bytes);
  if (there.empty() && current.head.expects_continue) current.output.append(continue_line);
  // Room only for twice of what has come: whoever announces much and sends little holds little.
  current.body.assign(there);
  used_bytes_ += there.size();
  if (there.size() < length_bytes) connection_.enter(Phase::body, options().body_timeout);
  for (std::size_t have = there.size(); have < length_bytes;) {
    std::string grown;
    const std::size_t room = std::min(length_bytes, std::max(have * 2, input_bytes));
    if (room > current.body.size()) {
      if (room > current.body.capacity()) {
        grown.reserve(room);
        grown.assign(current.body, 0, have);
        std::swap(grown, current.body);
        wipe(grown);
      }
      current.body.resize(room);
    }
    std::size_t count = 0;
    const Step step =
        co_await read_body_bytes(asio::buffer(current.body.data() + have, current.body.size() - have), count);
    if (step != Step::more) co_return step;
    have += count;
  }
  current.request.body = current.body;
  co_return Step::complete;
}

Task<Step> Session::receive_chunked_body() {
  Exchange& current = exchange();
  const std::size_t head_bytes = used_bytes_;
  ChunkedBody chunks{options().body_max_bytes};
  if (current.input.text().size() == head_bytes && current.head.expects_continue)
    current.output.append(continue_line);
  connection_.enter(Phase::body, options().body_timeout);
  while (true) {
    const auto taken = chunks.take(current.input.text().substr(head_bytes), current.body);
    if (!taken) co_return refused(taken.error());
    if (chunks.is_complete()) {
      used_bytes_ = head_bytes + *taken;
      current.request.body = current.body;
      co_return Step::complete;
    }
    current.input.truncate(head_bytes);  // the raw chunks; their data is in the body
    std::size_t count = 0;
    const Step step = co_await read_body_bytes(tail_of(current.input), count);
    if (step != Step::more) co_return step;
    current.input.commit(count);
  }
}

Task<Step> Session::read_body_bytes(asio::mutable_buffer into, std::size_t& count) {
  if (!exchange().output.empty()) {
    if (!co_await flush()) co_return Step::gone;
    // The write had its own deadline; the body's begins anew, once per request (nothing is left to flush
    // after this).
    connection_.enter(Phase::body, options().body_timeout);
  }
  const auto [error, read] = co_await connection_.socket.async_read_some(into, quiet);
  if (error) co_return after_failed_read(error);
  count = read;
  co_return Step::more;
}

// ---- answering
// --------------------------------------------------------------------------------------------------

Task<Response> Session::ask_handler() {
  Exchange& current = exchange();
  connection_.enter_handling();
  if (!current.output.empty()) connection_.write_soon();
  LoopCounters::count(loop_.counters().requests);
  if (options().access_log) received_ = std::chrono::steady_clock::now();
  std::string reason;
  try {
    Response response = co_await loop_.handler().handle(current.request);
    if (AnswerWriter::is_sendable(response)) co_return response;
    reason = "the response has a status or a header that may not be sent";
  } catch (const std::exception& exception) {
    reason = exception.what();
  }
  log(LogLevel::error, "handler_failed",
      {{"request_id", current.request.id}, {"path", current.request.path}, {"reason", reason}});
  co_return loop_.handler().refuse(500, "Something went wrong on our side", current.request.id);
}

Task<bool> Session::send(Response response) {
  Exchange& current = exchange();
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
  if (alive && current.output.size() >= output_full_bytes) alive = co_await flush();
  if (options().access_log) log_access(response);
  if (response.constant_body.empty()) wipe(response.body);
  co_return alive;
}

// Writes the output, and `content` behind it. False when the peer is gone or too slow.
Task<bool> Session::flush(std::string_view content) {
  std::string& output = exchange().output;
  if (content.empty()) {
    if (!connection_.write_now()) co_return false;
    if (output.empty()) co_return true;
  }
  boost::beast::buffers_suffix<std::array<asio::const_buffer, 2>> left{
      {asio::buffer(output), asio::buffer(content)}};
  bool alive = true;
  while (alive && asio::buffer_size(left) != 0) {
    // The time is for each step: the kernel's buffer empties in large steps, so a reader cannot drip to stay.
    connection_.enter(Phase::writing, options().write_timeout);
    const auto [error, written] = co_await connection_.socket.async_write_some(left, quiet);
    left.consume(written);
    alive = !error;
  }
  wipe(output);
  if (output.capacity() > output_full_bytes) output = std::string{};
  co_return alive;
}

Task<void> Session::refuse(Refusal refusal) {
  LoopCounters::count(loop_.counters().refused_requests);
  Exchange& current = connection_.attach();
  if (used_bytes_ == 0)
    loop_.request_ids().next_into(current.request.id);  // no head that could be trusted for its id
  Response response = loop_.handler().refuse(refusal.status, refusal.sentence, current.request.id);
  if (refusal.status == 405)
    response.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
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

void Session::log_access(const Response& response) const {
  const Request& request = connection_.exchange->request;
  const auto duration = std::chrono::steady_clock::now() - received_;
  const auto duration_us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  constexpr std::array<std::string_view, 8> methods{"GET",   "HEAD",   "POST",    "PUT",
                                                    "PATCH", "DELETE", "OPTIONS", "-"};
  log(LogLevel::info, "request",
      {{"method", methods.at(static_cast<std::size_t>(request.method))},
       {"path", request.path},  // never the query: links in mails carry tokens there
       {"status", fmt::format_int{response.status}.str()},
       {"bytes", fmt::format_int{response.content().size()}.str()},
       {"duration_us", fmt::format_int{duration_us}.str()},
       {"request_id", request.id},
       {"address", request.client.address}});
}

}  // namespace

Task<void> serve(std::shared_ptr<Connection> connection) {
  Session session{*connection};
  co_await session.run();
}

Task<void> turn_away(std::shared_ptr<Connection> connection) {
  Session session{*connection};
  co_await session.refuse({503, "The server has too many connections"});
}

}  // namespace keyward::web::engine
