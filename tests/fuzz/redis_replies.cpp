// What Redis answers (redis/connection), and what other nodes say through it (domain/limits/redis_counts).
//
// The bytes are everything that the server sends, from the greeting on; the last byte says in which pieces.
// Must hold: a conversation ends in replies or in a Failure or Refusal with a sentence, whatever comes; in
// other pieces the same bytes are the same replies.

#include "domain/limits/redis_counts.hpp"
#include "fuzz.hpp"
#include "redis/connection.hpp"
#include "redis/errors.hpp"

namespace keyward::fuzz {
namespace {

/// A server that says what it has to say and then nothing more.
class Speech final : public redis::Wire {
 public:
  Speech(std::string_view left, std::size_t piece_bytes) : left_(left), piece_bytes_(piece_bytes) {}
  void send(std::string_view, redis::Deadline) override {}
  std::size_t receive(std::span<char> room, redis::Deadline) override {
    const auto piece = left_.substr(0, std::min(piece_bytes_, room.size()));
    std::ranges::copy(piece, room.begin());
    left_.remove_prefix(piece.size());
    return piece.size();
  }
  void interrupt() noexcept override {}

 private:
  std::string_view left_;
  std::size_t piece_bytes_;
};

void tell(const redis::Reply& reply, std::string& told) {
  told.append(std::to_string(static_cast<int>(reply.kind)))
      .append(std::to_string(reply.number))
      .append(reply.text);
  told += '(';
  for (const auto& item : reply.items) tell(item, told);
  told += ')';
}

/// The conversation in words.
std::string talk(std::string_view bytes, std::size_t piece_bytes) {
  std::string told;
  try {
    const redis::Deadline deadline = redis::answer_deadline();
    redis::Connection connection{std::make_unique<Speech>(bytes, piece_bytes), redis::Address{}, "keyward",
                                 deadline};
    told += connection.version();
    while (const auto reply = connection.receive_or_nothing(deadline)) tell(*reply, told);
  } catch (const redis::Refusal& refusal) {
    told.append("refused: ").append(refusal.what());
  } catch (const redis::Failure& failure) {
    told.append("failed: ").append(failure.what());
  }
  return told;
}

}  // namespace

KEYWARD_FUZZ_TARGET(redis_replies) {
  Input given{input};
  const std::size_t piece_bytes = std::size_t{given.byte()} + 1;
  const std::string_view bytes = given.rest();
  must_hold(talk(bytes, bytes.size() + 1) == talk(bytes, piece_bytes), "in other pieces it says the same");
  if (const auto heard = domain::RedisCounts::parse_message(bytes)) {
    must_hold(heard->known.left.count() >= 0, "a window has a length");
  }
}

}  // namespace keyward::fuzz
