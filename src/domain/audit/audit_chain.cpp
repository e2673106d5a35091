#include "domain/audit/audit_chain.hpp"

namespace keyward::domain {

namespace {

/// Every field with its length before it, so that no two rows have one encoding.
class Encoder {
 public:
  explicit Encoder(BytesView before) {
    bytes_.reserve(usual_bytes);
    bytes_.assign(before.begin(), before.end());
  }

  void add(std::uint64_t number) { append_big_endian(bytes_, number); }
  void add(BytesView field) {
    add(field.size());
    bytes_.insert(bytes_.end(), field.begin(), field.end());
  }
  void add(std::string_view field) { add(as_bytes(field)); }
  void add(const std::optional<Uuid>& id) { add(id ? BytesView{id->bytes} : BytesView{}); }

  [[nodiscard]] BytesView bytes() const { return bytes_; }

 private:
  static constexpr std::size_t usual_bytes = 512;
  Bytes bytes_;
};

}  // namespace

crypto::Sha256 ChainKey::hash(const crypto::Sha256& before, const AuditRow& row) const {
  Encoder encoder{before};
  encoder.add(static_cast<std::uint64_t>(row.chain));
  encoder.add(static_cast<std::uint64_t>(row.sequence));
  encoder.add(static_cast<std::uint64_t>(row.occurred_at.time_since_epoch().count()));
  encoder.add(std::string_view{row.event});
  encoder.add(row.account_id);
  encoder.add(row.actor_id);
  encoder.add(row.session_id);
  for (const std::string* text :
       {&row.reason, &row.detail, &row.email, &row.address, &row.user_agent, &row.request_id})
    encoder.add(std::string_view{*text});
  return crypto::hmac_sha256(key_.bytes(), encoder.bytes());
}

void append_to_chain(storage::Transaction& transaction, std::int64_t chain, std::span<AuditRow> rows,
                     const ChainKey& key) {
  const auto count = static_cast<std::int64_t>(rows.size());
  // One statement makes the chain or takes it, and nobody else has it until the commit.
  auto head = transaction.get<ChainHead>(
      "INSERT INTO audit_chains (id, sequence, hash) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET "
      "sequence = audit_chains.sequence + $2 RETURNING id, sequence, hash",
      chain, count, crypto::Sha256{});
  std::int64_t sequence = head.sequence - count;
  for (auto& row : rows) {
    row.chain = chain;
    row.sequence = ++sequence;
    row.hash = head.hash = key.hash(head.hash, row);
    transaction.execute("INSERT INTO audit_events (" KEYWARD_AUDIT_COLUMNS
                        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                        row.chain, row.sequence, row.occurred_at, row.event, row.account_id, row.actor_id,
                        row.session_id, row.reason, row.detail, row.email, row.address, row.user_agent,
                        row.request_id, row.hash);
  }
  transaction.execute("UPDATE audit_chains SET hash = $2 WHERE id = $1", chain, head.hash);
}

std::vector<ChainHead> list_chain_heads(storage::Transaction& transaction) {
  return transaction.list<ChainHead>("SELECT id, sequence, hash FROM audit_chains ORDER BY id");
}

}  // namespace keyward::domain
