#include "domain/audit/audit_checkpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/log.hpp"
#include "text/base64url.hpp"
#include "text/json.hpp"

namespace keyward::domain {

namespace {

/// RFC 8410 §7: the DER of a PrivateKeyInfo for Ed25519, up to its 32 bytes.
constexpr std::array<std::uint8_t, 16> ed25519_prefix{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                      0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

crypto::PrivateKey make_key(const crypto::MasterKey& master_key) {
  const auto seed = master_key.derive("audit checkpoint 1");
  auto der = Secret::of_size(ed25519_prefix.size() + seed.size());
  std::ranges::copy(ed25519_prefix, der.mutable_bytes().begin());
  std::ranges::copy(seed.bytes(), der.mutable_bytes().begin() + ed25519_prefix.size());
  auto key = crypto::PrivateKey::from_pkcs8(crypto::Algorithm::eddsa, der);
  if (!key) throw std::logic_error("32 bytes make no Ed25519 key: " + key.error().message);
  return std::move(*key);
}

std::string to_text(const std::vector<ChainHead>& heads) {
  std::string text = "[";
  for (const auto& head : heads) {
    if (text.size() > 1) text += ',';
    text += fmt::format(R"({{"chain":{},"sequence":{},"hash":"{}"}})", head.id, head.sequence,
                        text::to_base64url(head.hash));
  }
  return text + ']';
}

std::string signed_text(const AuditCheckpoint& checkpoint) {
  return fmt::format("keyward audit checkpoint 1\n{}\n{}\n{}", checkpoint.id.to_string(),
                     checkpoint.made_at.time_since_epoch().count(), checkpoint.heads);
}

}  // namespace

CheckpointKey::CheckpointKey(const crypto::MasterKey& master_key) : key_(make_key(master_key)) {}

AuditCheckpoint CheckpointKey::sign(Uuid id, Time made_at, const std::vector<ChainHead>& heads) const {
  AuditCheckpoint checkpoint{.id = id, .made_at = made_at, .heads = to_text(heads), .signature = {}};
  checkpoint.signature = key_.sign(as_bytes(signed_text(checkpoint)));
  return checkpoint;
}

bool CheckpointKey::verify(const AuditCheckpoint& checkpoint) const {
  return key_.public_key().verify(as_bytes(signed_text(checkpoint)), checkpoint.signature);
}

std::string CheckpointKey::public_key() const {
  return text::to_base64url(std::get<crypto::EdNumbers>(key_.public_key().numbers()).x);
}

std::optional<std::vector<ChainHead>> parse_heads(std::string_view heads) {
  const auto parsed = text::parse_json(heads);
  if (!parsed || !parsed->is_array()) return std::nullopt;
  std::vector<ChainHead> found;
  for (const auto& item : parsed->get_array()) {
    const auto* object = item.if_object();
    const auto* chain = object != nullptr ? object->if_contains("chain") : nullptr;
    const auto* sequence = object != nullptr ? object->if_contains("sequence") : nullptr;
    const auto* hash = object != nullptr ? object->if_contains("hash") : nullptr;
    if (chain == nullptr || !chain->is_int64() || sequence == nullptr || !sequence->is_int64() ||
        hash == nullptr || !hash->is_string())
      return std::nullopt;
    const auto bytes = text::parse_base64url(std::string_view{hash->get_string()});
    ChainHead head{.id = chain->get_int64(), .sequence = sequence->get_int64(), .hash = {}};
    if (!bytes || bytes->size() != head.hash.size()) return std::nullopt;
    std::ranges::copy(*bytes, head.hash.begin());
    found.push_back(head);
  }
  return found;
}

std::string to_json_line(const AuditCheckpoint& checkpoint) {
  return fmt::format(
      R"({{"time":"{}","event":"audit_checkpoint","id":"{}","made_at_us":{},"heads":{},"signature":"{}"}})",
      to_rfc3339(checkpoint.made_at), checkpoint.id.to_string(),
      checkpoint.made_at.time_since_epoch().count(), to_log_json(checkpoint.heads),
      text::to_base64url(checkpoint.signature));
}

Result<AuditCheckpoint> parse_checkpoint_line(std::string_view line) {
  const auto parsed = text::parse_json(line);
  const auto* object = parsed ? parsed->if_object() : nullptr;
  const auto text_of = [&](std::string_view name) -> std::string_view {
    const auto* member = object != nullptr ? object->if_contains(name) : nullptr;
    const auto* text = member != nullptr ? member->if_string() : nullptr;
    return text != nullptr ? std::string_view{*text} : std::string_view{};
  };
  const auto* made_at = object != nullptr ? object->if_contains("made_at_us") : nullptr;
  const auto id = Uuid::parse(text_of("id"));
  auto signature = text::parse_base64url(text_of("signature"));
  if (text_of("event") != "audit_checkpoint" || !id || made_at == nullptr || !made_at->is_int64() ||
      !signature)
    return fail(ErrorCode::invalid_input, "That is no audit_checkpoint line of Keyward's log");
  return AuditCheckpoint{*id, Time{microseconds{made_at->get_int64()}}, std::string{text_of("heads")},
                         std::move(*signature)};
}

std::optional<AuditCheckpoint> find_last_checkpoint(storage::Transaction& transaction) {
  return transaction.find<AuditCheckpoint>(
      "SELECT id, made_at, heads, signature FROM audit_checkpoints ORDER BY made_at DESC, id DESC LIMIT 1");
}

bool is_checkpoint_due(storage::Transaction& transaction) {
  const auto heads = list_chain_heads(transaction);
  const auto last = find_last_checkpoint(transaction);
  return last ? to_text(heads) != last->heads : !heads.empty();
}

std::optional<AuditCheckpoint> make_checkpoint(storage::Transaction& transaction, const CheckpointKey& key,
                                               Time now, Random& random) {
  if (!is_checkpoint_due(transaction)) return std::nullopt;
  auto checkpoint = key.sign(Uuid::make_v7(now, random), now, list_chain_heads(transaction));
  transaction.execute("INSERT INTO audit_checkpoints (id, made_at, heads, signature) VALUES ($1, $2, $3, $4)",
                      checkpoint.id, checkpoint.made_at, checkpoint.heads, checkpoint.signature);
  return checkpoint;
}

}  // namespace keyward::domain
