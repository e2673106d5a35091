// Lines of a log that hold checkpoints of the audit trail (domain/audit), as `audit verify` is given them.
//
// Must hold: a line that is read prints back in one spelling, which is read as the same; one that was not
// signed with our key does not verify; its heads are read whole or not at all; our own line, with one byte
// changed, says the same or is refused.
#include "crypto/master_key.hpp"
#include "domain/audit/audit_checkpoints.hpp"
#include "fuzz.hpp"
#include "text/json.hpp"

namespace keyward::fuzz {
namespace {

using namespace domain;

const CheckpointKey& our_key() {
  static const CheckpointKey key{*crypto::MasterKey::from_bytes(Secret{std::string(32, 'k')})};
  return key;
}

bool is_same(const AuditCheckpoint& one, const AuditCheckpoint& other) {
  return one.id == other.id && one.made_at == other.made_at && one.heads == other.heads &&
         one.signature == other.signature;
}

void check_heads(std::string_view text) {
  const auto heads = parse_heads(text);
  if (!heads) return;
  const auto listed = text::parse_json(text);
  must_hold(listed && listed->is_array() && listed->get_array().size() == heads->size(),
            "heads are read whole or not at all");
  const auto again = parse_heads(our_key().sign(Uuid{}, Time{}, *heads).heads);
  must_hold(again && *again == *heads, "and are signed as they were read");
}

void check_line(std::string_view line) {
  const auto checkpoint = parse_checkpoint_line(line);
  if (!checkpoint) {
    must_hold(is_sentence(checkpoint.error().message), "a refusal is a sentence");
    return;
  }
  must_hold(!our_key().verify(*checkpoint), "what we did not sign does not verify");
  check_heads(checkpoint->heads);
  const std::string written = to_json_line(*checkpoint);
  must_hold(written.find_first_of("\r\n") == std::string::npos, "a line is a line");
  const auto again = parse_checkpoint_line(written);
  must_hold(again && is_same(*again, *checkpoint), "a line that was written is read as the same");
}

/// One byte of a line of ours becomes another.
void check_changed(Input& input) {
  ChainHead head{.id = 1, .sequence = input.byte(), .hash = {}};
  for (auto& byte : head.hash) byte = input.byte();
  Uuid id;
  for (auto& byte : id.bytes) byte = input.byte();
  // Years of four digits, which are written as they are.
  const Time made_at{std::chrono::seconds{input.int64() % 50'000'000'000}};
  const auto checkpoint = our_key().sign(id, made_at, {head});
  must_hold(our_key().verify(checkpoint), "what we signed verifies");
  std::string line = to_json_line(checkpoint);
  line[input.below(line.size())] = static_cast<char>(input.byte());
  const auto changed = parse_checkpoint_line(line);
  must_hold(!changed || !our_key().verify(*changed) || is_same(*changed, checkpoint),
            "a changed line that verifies says the same");
}

}  // namespace

KEYWARD_FUZZ_TARGET(checkpoints) {
  check_line(as_text(input));
  check_heads(as_text(input));
  Input numbers{input};
  check_changed(numbers);
}

}  // namespace keyward::fuzz
