#include "outbound/exchange.hpp"

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <iterator>
#include <optional>
#include <string>

#include "base/limits.hpp"
#include "outbound/head.hpp"
#include "outbound/wiping_allocator.hpp"

namespace keyward::outbound {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t record_bytes = 16 * 1024;  // of TLS
// With chunks' sizes and extensions, for which Beast has no limit.
constexpr std::size_t answer_max_bytes =
    limits::outbound_head_max_bytes + 4 * limits::outbound_answer_max_bytes;
constexpr int interim_answers_max = 8;  // 100, 103

using Body = http::basic_string_body<char, std::char_traits<char>, WipingAllocator<char>>;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

Failure parse_failure(const boost::system::error_code& error) {
  const bool large = error == http::error::header_limit || error == http::error::body_limit ||
                     error == http::error::buffer_overflow;
  return {large ? Refusal::too_large : Refusal::malformed, error.message()};
}

class AnswerReader {
 public:
  AnswerReader(Connection* connection, const Request* request, Moment deadline)
      : connection_(connection), request_(request), deadline_(deadline) {}

  Task<Fetched<Answer>> read() {
    for (int interim = 0; interim <= interim_answers_max; ++interim) {
      parser_.emplace();
      parser_->header_limit(limits::outbound_head_max_bytes);
      parser_->body_limit(limits::outbound_answer_max_bytes);
      while (!parser_->is_header_done()) {
        if (auto went = co_await advance(); !went) co_return std::unexpected(std::move(went).error());
      }
      // 101 is no interim answer: it ends HTTP, and we did not ask for it.
      if (status() >= 200 || status() == 101) co_return co_await finish();
    }
    co_return Failure::of(Refusal::malformed, "no end of interim answers");
  }

  [[nodiscard]] bool got_some() const { return read_bytes_ > 0; }
  /// The message ended where the bytes end, and the other end keeps the connection.
  [[nodiscard]] bool is_reusable() const {
    return parser_ && parser_->is_done() && parser_->keep_alive() && buffer_.size() == 0;
  }

 private:
  [[nodiscard]] unsigned status() const { return parser_->get().result_int(); }

  /// Parses what is here; when that is too little, waits for more.
  Task<Fetched<void>> advance() {
    if (buffer_.size() > 0 && !hungry_) {
      boost::system::error_code error;
      const bool in_head = !parser_->is_header_done();
      const auto used = parser_->put(buffer_.data(), error);
      buffer_.consume(used);
      hungry_ = used == 0 || error == http::error::need_more;
      if (error && error != http::error::need_more) co_return std::unexpected(parse_failure(error));
      // Beast's own limit is that of a line: it forgets the fields that it has taken.
      if (in_head) head_bytes_ += used;
      if (head_bytes_ > limits::outbound_head_max_bytes)
        co_return Failure::of(Refusal::too_large, "the head");
      co_return Fetched<void>{};
    }
    if (buffer_.size() > limits::outbound_head_max_bytes)
      co_return Failure::of(Refusal::too_large, "a line within the body");
    const auto [error, bytes] = co_await connection_->read_some(buffer_.prepare(record_bytes), deadline_);
    buffer_.commit(bytes);
    read_bytes_ += bytes;
    hungry_ = false;
    if (error == asio::error::eof && got_some()) co_return end_of_stream();
    if (error) co_return std::unexpected(to_failure(error, Refusal::not_connected));
    if (read_bytes_ > answer_max_bytes) co_return Failure::of(Refusal::too_large, "what is around the body");
    co_return Fetched<void>{};
  }

  Fetched<void> end_of_stream() {
    boost::system::error_code error;
    parser_->put_eof(error);
    if (error) return std::unexpected(parse_failure(error));
    return {};
  }

  /// The head is there.
  Task<Fetched<Answer>> finish() {
    auto answer = judge_head();
    if (!answer) co_return answer;
    if (parser_->is_done()) co_return answer;  // no body
    if (!is_taken(answer->content_type, request_->content_types)) {
      if (answer->status >= 500) co_return answer;
      co_return Failure::of(Refusal::wrong_content_type,
                            fmt::format("status {} with {:.100}", answer->status, answer->content_type));
    }
    parser_->eager(true);
    while (!parser_->is_done()) {
      if (auto went = co_await advance(); !went) co_return std::unexpected(std::move(went).error());
    }
    answer->body = parser_->get().body();
    co_return answer;
  }

  Fetched<Answer> judge_head() {
    const auto& head = parser_->get();
    if (status() < 200 || status() > 599)
      return Failure::of(Refusal::malformed, fmt::format("status {}", status()));
    if (status() >= 300 && status() < 400)
      return Failure::of(Refusal::redirected, fmt::format("status {}", status()));
    for (const auto field : {http::field::transfer_encoding, http::field::content_type}) {
      if (head.count(field) > 1) return Failure::of(Refusal::malformed, "a field that comes twice");
    }
    const auto coding = head.find(http::field::transfer_encoding);
    if (coding != head.end() && !beast::iequals(coding->value(), "chunked"))
      return Failure::of(Refusal::malformed, "another transfer coding than chunked");
    const auto packed = head.find(http::field::content_encoding);
    if (packed != head.end() && !beast::iequals(packed->value(), "identity"))
      return Failure::of(Refusal::wrong_content_type, "it is compressed, which was not asked for");
    return Answer{.status = status(),
                  .content_type = media_type_of(view(head[http::field::content_type])),
                  .max_age = max_age()};
  }

  [[nodiscard]] std::optional<std::chrono::seconds> max_age() const {
    const auto& head = parser_->get();
    std::optional<std::chrono::seconds> age;
    const auto [first, last] = head.equal_range(http::field::cache_control);
    for (auto field = first; field != last; ++field) read_cache_control(view(field->value()), age);
    const auto passed = head.find(http::field::age);
    if (age && passed != head.end())
      age = std::max(std::chrono::seconds{0}, *age - read_age(view(passed->value())));
    return age;
  }

  Connection* connection_;
  const Request* request_;
  Moment deadline_;
  beast::basic_flat_buffer<WipingAllocator<char>> buffer_;
  std::optional<http::response_parser<Body>> parser_;
  bool hungry_ = false;         // what is in the buffer is not enough for a step
  std::size_t head_bytes_ = 0;  // interim answers' heads among them
  std::size_t read_bytes_ = 0;
};

}  // namespace

Task<Exchanged> exchange(Connection* connection, const Request* request, std::string_view bytes,
                         Moment deadline) {
  const auto written = co_await connection->write(bytes, deadline);
  if (written.error) {
    co_return Exchanged{.answer = std::unexpected(to_failure(written.error, Refusal::not_connected)),
                        .nothing_written = written.bytes == 0,
                        .unanswered = true};
  }
  AnswerReader reader{connection, request, deadline};
  auto answer = co_await reader.read();
  const bool broke = !answer && answer.error().refusal == Refusal::not_connected && !reader.got_some();
  co_return Exchanged{.answer = std::move(answer), .reusable = reader.is_reusable(), .unanswered = broke};
}

}  // namespace keyward::outbound
