// Session: the coroutine's state and steps. session_receive.cpp reads, session.cpp asks the handler and
// answers.
#pragma once

#include <boost/asio/buffer.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "base/metrics.hpp"
#include "web/engine/connection.hpp"
#include "web/engine/head.hpp"
#include "web/engine/loop.hpp"
#include "web/engine/refusal.hpp"

namespace keyward::web::engine {

inline constexpr std::size_t input_bytes = 2 * 1024;  // room for the first read of a head

// more: bytes have come. refused: refusal_ says why. gone: the connection ends without another word.
enum class Step : std::uint8_t { complete, more, refused, gone };

inline asio::mutable_buffer tail_of(InputBuffer& input) {
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
  Task<std::expected<std::size_t, Step>> read_body_bytes(asio::mutable_buffer into);
  Task<Response> ask_handler();
  Response handler_failed(std::string_view reason);
  Task<bool> send(Response response);
  Task<bool> flush(std::string_view content = {});
  Task<bool> flush_tls(std::string_view content);
  bool is_full(const std::string& output);
  std::int64_t write_deadline(std::size_t bytes);
  bool enter_writing(std::int64_t deadline_ms);
  Task<void> linger();
  void begin_request();
  void end_request();
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
  Stopwatch handling_;
  bool head_begun_ = false;
  bool empty_line_skipped_ = false;
  bool close_ = false;
};

}  // namespace keyward::web::engine
