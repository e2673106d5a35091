#include <algorithm>
#include <utility>

#include "web/engine/chunked_body.hpp"
#include "web/engine/session_state.hpp"
#include "web/trace_context.hpp"

namespace keyward::web::engine {
namespace {

constexpr std::size_t chunk_room_min_bytes = 1024;  // room behind a head for the chunks of its body
constexpr Refusal too_much_held{503, "The server has too many unfinished requests"};
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

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
  if (!options().trusted_proxies.empty()) {
    request.client.address = client_address(connection_.peer_address.to_string(), request.headers,
                                            options().trusted_proxies, options().proxy_header);
  }
  loop_.proxy_hint().look_at(connection_.peer_address, request, options());
  request.client.user_agent.assign(head.user_agent.substr(0, limits::user_agent_max_bytes));
  if (head.request_id.empty()) {
    loop_.request_ids().next_into(request.id);
  } else {
    request.id.assign(head.request_id);
  }
  request.route = 0;
  request.pattern = {};
  request.log_context.request_id.assign(request.id);
  const auto trace = parse_traceparent(head.traceparent);
  request.log_context.trace_id.assign(trace ? trace->trace_id : std::string_view{});
  request.log_context.parent_id.assign(trace ? trace->parent_id : std::string_view{});
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
      if (!connection_.tls || !connection_.tls->has_more()) {
        const auto [error] = co_await connection_.socket.async_wait(asio::socket_base::wait_read, quiet);
        if (error) co_return after_failed_read(error);
      }
      connection_.attach();
    }
    InputBuffer& input = exchange().input;
    const std::size_t room_bytes = input.empty() ? input_bytes : input_bytes / 4;
    if (input.tail().size() < room_bytes && !loop_.may_hold(exchange(), input.capacity()))
      co_return refused(too_much_held);
    input.make_room(room_bytes);
    const auto [error, count] = connection_.tls
                                    ? co_await connection_.read_tls(tail_of(input))
                                    : co_await connection_.socket.async_read_some(tail_of(input), quiet);
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
  if (connection_.tls) {
    const auto [state, bytes] = connection_.tls->read(input.tail());
    if (state != TlsStream::State::done) return Step::gone;
    input.commit(bytes);
    return Step::more;
  }
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
        if (!loop_.may_hold(current, room)) co_return refused(too_much_held);
        grown.reserve(room);
        grown.assign(current.body, 0, have);
        std::swap(grown, current.body);
        wipe(grown);
      }
      current.body.resize(room);
    }
    const auto count =
        co_await read_body_bytes(asio::buffer(current.body.data() + have, current.body.size() - have));
    if (!count) co_return count.error();
    have += *count;
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
    if (!loop_.may_hold(current)) co_return refused(too_much_held);
    if (chunks.is_complete()) {
      used_bytes_ = head_bytes + *taken;
      current.request.body = current.body;
      co_return Step::complete;
    }
    current.input.truncate(head_bytes);  // the raw chunks; their data is in the body
    const auto count = co_await read_body_bytes(tail_of(current.input));
    if (!count) co_return count.error();
    current.input.commit(*count);
  }
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
Task<std::expected<std::size_t, Step>> Session::read_body_bytes(asio::mutable_buffer into) {
  if (!exchange().output.empty()) {
    if (!co_await flush()) co_return std::unexpected(Step::gone);
    // The write had its own deadline; the body's begins anew, once per request (nothing is left to flush
    // after this).
    connection_.enter(Phase::body, options().body_timeout);
  }
  const auto [error, read] = connection_.tls ? co_await connection_.read_tls(into)
                                             : co_await connection_.socket.async_read_some(into, quiet);
  if (error) co_return std::unexpected(after_failed_read(error));
  co_return read;
}

}  // namespace keyward::web::engine
