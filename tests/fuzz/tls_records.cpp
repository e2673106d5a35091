// What a client sends before its handshake is done (web/tls/handshake_watch), ahead of OpenSSL.
//
// The input: bytes of the stream; off its end, how they are cut into pieces.
//
// Must hold: the same bytes in other pieces end with the same verdict; of a stream that is taken, each record
// is one of TLS, and no message announces more than one record may hold, as a second reader sees it.
#include <optional>

#include "fuzz.hpp"
#include "web/tls/handshake_watch.hpp"

namespace keyward::fuzz {
namespace {

using web::HandshakeWatch;

bool takes(Input input, BytesView stream, bool is_tls_1_3) {
  HandshakeWatch watch;
  while (!stream.empty()) {
    const auto piece = stream.first(std::min(stream.size(), std::size_t{1} + input.below(40)));
    if (!watch.see(piece, is_tls_1_3)) return false;
    stream = stream.subspan(piece.size());
  }
  return true;
}

/// The bytes of all handshake records in a row; nothing when there is a record of another kind than TLS has.
std::optional<Bytes> handshake_bytes(BytesView stream, bool is_tls_1_3) {
  Bytes found;
  while (stream.size() >= 5) {
    const auto type = stream[0];
    if (type < 20 || type > 23) return std::nullopt;
    if (type == 20 && !is_tls_1_3) return found;
    const std::size_t length = std::size_t{stream[3]} * 256 + stream[4];
    stream = stream.subspan(5);
    const auto content = stream.first(std::min(length, stream.size()));
    if (type == 22) found.insert(found.end(), content.begin(), content.end());
    stream = stream.subspan(content.size());
  }
  return found;
}

bool has_long_message(BytesView messages) {
  while (messages.size() >= 4) {
    const std::size_t announced =
        std::size_t{messages[1]} * 65536 + std::size_t{messages[2]} * 256 + messages[3];
    if (announced > HandshakeWatch::message_max_bytes) return true;
    messages = messages.subspan(std::min(messages.size(), 4 + announced));
  }
  return false;
}

}  // namespace

KEYWARD_FUZZ_TARGET(tls_records) {
  for (const bool is_tls_1_3 : {true, false}) {
    HandshakeWatch whole;
    const bool taken = whole.see(input, is_tls_1_3);
    must_hold(taken == takes(Input{input}, input, is_tls_1_3), "pieces make no difference");
    const auto messages = handshake_bytes(input, is_tls_1_3);
    must_hold(taken == (messages && !has_long_message(*messages)), "both readers say the same");
  }
}

}  // namespace keyward::fuzz
