// HandshakeWatch: looks at what a client sends up to the end of its handshake, ahead of OpenSSL.
//
// Threat: OpenSSL makes room for as long a ClientHello as its first four bytes announce, up to 128 KiB, so
// that fifteen bytes cost us that much for as long as a handshake may take. Answer: a message that announces
// more than one record may hold (RFC 8446 §5.1) ends the connection; the hellos of today's clients have 2
// KiB. So does what is no record of TLS (RFC 8446 §5.1, also SSL 2's hello).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace keyward::web {

class HandshakeWatch {
 public:
  static constexpr std::size_t message_max_bytes = std::size_t{1} << 14U;

  /// The next bytes of the stream, in pieces of any size. `is_tls_1_3`: as far as is known by now. False: the
  /// connection is to be ended.
  bool see(BytesView bytes, bool is_tls_1_3);

 private:
  bool begin_record(bool is_tls_1_3);
  std::size_t see_message(BytesView bytes);

  std::array<std::uint8_t, 5> record_head_{};
  std::array<std::uint8_t, 4> message_head_{};
  std::size_t record_head_bytes_ = 0;
  std::size_t message_head_bytes_ = 0;
  std::size_t record_left_ = 0;   // bytes of this record that have not come
  std::size_t message_left_ = 0;  // of this message, which may go on in the next record
  bool is_encrypted_ = false;     // in TLS 1.2: what comes cannot be read, and is short or refused by OpenSSL
};

}  // namespace keyward::web
