#include "web/tls/handshake_watch.hpp"

#include <algorithm>

namespace keyward::web {

namespace {

// ContentType, RFC 8446 §5.1
constexpr std::uint8_t change_cipher_spec = 20;
constexpr std::uint8_t handshake = 22;
constexpr std::uint8_t application_data = 23;

}  // namespace

bool HandshakeWatch::see(BytesView bytes, bool is_tls_1_3) {
  while (!bytes.empty() && !is_encrypted_) {
    std::size_t seen = 1;
    if (record_left_ == 0) {
      record_head_.at(record_head_bytes_++) = bytes.front();
      if (record_head_bytes_ == record_head_.size() && !begin_record(is_tls_1_3)) return false;
    } else {
      const auto rest = bytes.first(std::min(bytes.size(), record_left_));
      seen = record_head_[0] == handshake ? see_message(rest) : rest.size();
      record_left_ -= seen;
      if (message_left_ > message_max_bytes) return false;
    }
    bytes = bytes.subspan(seen);
  }
  return true;
}

bool HandshakeWatch::begin_record(bool is_tls_1_3) {
  record_head_bytes_ = 0;
  record_left_ = std::size_t{record_head_[3]} << 8U | record_head_[4];
  const auto type = record_head_[0];
  // In TLS 1.3 it means nothing (RFC 8446 §5), and a second hello may follow.
  if (type == change_cipher_spec && !is_tls_1_3) is_encrypted_ = true;
  return type >= change_cipher_spec && type <= application_data;
}

/// Returns how many of the bytes it took.
std::size_t HandshakeWatch::see_message(BytesView bytes) {
  if (message_left_ > 0) {
    const auto seen = std::min(bytes.size(), message_left_);
    message_left_ -= seen;
    return seen;
  }
  message_head_.at(message_head_bytes_++) = bytes.front();
  if (message_head_bytes_ == message_head_.size()) {
    message_head_bytes_ = 0;
    message_left_ =
        std::size_t{message_head_[1]} << 16U | std::size_t{message_head_[2]} << 8U | message_head_[3];
  }
  return 1;
}

}  // namespace keyward::web
