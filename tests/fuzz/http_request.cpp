// HTTP requests: the bytes of one connection, as the engine's session reads them (web/engine/head,
// chunked_body).
//
// The last eight bytes say in which pieces the others arrive. Must hold: however the bytes are cut, the same
// requests come out and the same refusal ends them; what a head says lies within its bytes; no body is longer
// than its limit.
#include "fuzz.hpp"
#include "web/engine/chunked_body.hpp"
#include "web/engine/field_syntax.hpp"
#include "web/engine/head.hpp"
#include "web/trace_context.hpp"

namespace keyward::fuzz {
namespace {

using namespace web::engine;

constexpr std::size_t body_max_bytes = 4096;
constexpr HeadLimits head_limits{.header_max_bytes = 2048, .header_max_count = 16, .uri_max_bytes = 256};

void check_what_it_says(const Head& head, std::string_view text) {
  for (const auto part : {head.target, head.query, head.user_agent, head.request_id, head.traceparent}) {
    must_hold(is_inside(part, text) || part == "/", "a head's parts lie within its bytes");
  }
  for (const web::Header& header : head.headers) {
    must_hold(is_inside(header.name, text) && is_inside(header.value, text), "so do its fields");
    must_hold(!header.name.empty() && all(header.name, character::token), "a field's name is a token");
    must_hold(header.value == trim(header.value) &&
                  header.value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos,
              "a field's value is one trimmed line");
  }
  must_hold(head.target == "*" || head.path.starts_with('/'), "a path begins with its slash");
  must_hold(head.target.size() <= head_limits.uri_max_bytes, "a target is within its limit");
  must_hold(head.headers.size() <= head_limits.header_max_count, "there are no more fields than are allowed");
  must_hold(!(head.chunked && head.content_length_bytes), "a body has one length");
  if (const auto trace = web::parse_traceparent(head.traceparent)) {
    must_hold(trace->trace_id.size() == 32 && trace->parent_id.size() == 16,
              "a trace's ids are of their size");
    must_hold(is_inside(trace->trace_id, head.traceparent), "and lie within the header");
  }
}

/// A connection, told in words: what was read of it so far.
class Reading {
 public:
  void take(std::string_view piece) {
    left_ += piece;
    while (!ended_ && step()) {
    }
  }
  [[nodiscard]] const std::string& told() const { return told_; }

 private:
  bool refuse(const Refusal& refusal) {
    must_hold(is_sentence(refusal.sentence), "a refusal is a sentence");
    must_hold(refusal.status >= 400 && refusal.status <= 505, "and has the status of one");
    told_ += std::to_string(refusal.status).append(" ").append(refusal.sentence).append("\n");
    ended_ = true;
    return false;
  }

  /// True: there may be more to read in what has come.
  bool step() {
    if (!in_body_) return read_head();
    return head_.chunked ? read_chunks() : read_sized_body();
  }

  bool read_head() {
    if (left_.starts_with("\r\n") && !std::exchange(empty_line_skipped_, true)) left_.erase(0, 2);
    if (left_.empty() || (left_ == "\r" && !empty_line_skipped_)) return false;
    const auto head_bytes = finder_.find(left_, head_limits);
    if (!head_bytes) return refuse(head_bytes.error());
    if (*head_bytes == 0) return false;
    const std::string text = left_.substr(0, *head_bytes);  // of its very size: what lies behind is not ours
    if (const auto refusal = check_head(text, head_limits, head_)) return refuse(*refusal);
    check_what_it_says(head_, text);
    told_.append(head_.target)
        .append(head_.keep_alive ? " stays" : " goes")
        .append(head_.is_http_1_0 ? " 1.0" : " 1.1");
    for (const web::Header& header : head_.headers)
      told_.append("\n").append(header.name).append(": ").append(header.value);
    left_.erase(0, *head_bytes);
    chunks_ = ChunkedBody{body_max_bytes};
    in_body_ = true;
    return true;
  }

  bool read_sized_body() {
    const std::uint64_t length_bytes = head_.content_length_bytes.value_or(0);
    if (length_bytes > body_max_bytes) return refuse({413, "The body is too large"});
    if (left_.size() < length_bytes) return false;
    body_ = left_.substr(0, length_bytes);
    left_.erase(0, length_bytes);
    return end_request();
  }

  bool read_chunks() {
    const auto taken = chunks_.take(left_, body_);
    if (!taken) return refuse(taken.error());
    must_hold(*taken <= left_.size() && (chunks_.is_complete() || *taken == left_.size()),
              "chunks are taken until the body is complete");
    must_hold(body_.size() <= body_max_bytes, "a body is within its limit");
    left_.erase(0, *taken);
    return chunks_.is_complete() && end_request();
  }

  bool end_request() {
    told_.append("\nbody ").append(body_).append("\n");
    body_.clear();
    in_body_ = false;
    ended_ = !head_.keep_alive;
    finder_ = HeadFinder{};
    empty_line_skipped_ = false;
    return true;
  }

  std::string left_, body_, told_;
  HeadFinder finder_;
  Head head_;
  ChunkedBody chunks_{body_max_bytes};
  bool in_body_ = false, ended_ = false, empty_line_skipped_ = false;
};

}  // namespace

KEYWARD_FUZZ_TARGET(http_request) {
  Input given{input};
  std::array<std::size_t, 8> pieces{};
  for (auto& piece : pieces) piece = std::size_t{given.byte()} + 1;
  const std::string_view bytes = given.rest();

  Reading whole, cut, drops;
  whole.take(bytes);
  std::size_t at = 0;
  for (std::size_t i = 0; at < bytes.size(); i = (i + 1) % pieces.size()) {
    cut.take(bytes.substr(at, pieces.at(i)));
    at += pieces.at(i);
  }
  must_hold(cut.told() == whole.told(), "the same bytes in other pieces are the same requests");
  if (bytes.size() > 512) return;  // byte by byte is slow
  for (const char& byte : bytes) drops.take({&byte, 1});
  must_hold(drops.told() == whole.told(), "the same bytes one by one are the same requests");
}

}  // namespace keyward::fuzz
