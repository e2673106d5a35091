#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/limits.hpp"
#include "domain/audit/audit_reader.hpp"

namespace keyward::domain {

namespace {

constexpr auto page_rows = static_cast<std::int64_t>(limits::audit_verify_page);

/// What a checkpoint says of one row: its hash, and when it was said.
struct Witness {
  crypto::Sha256 hash{};
  Time made_at;
};
using Witnesses = std::map<std::int64_t, std::map<std::int64_t, Witness>>;  // chain → sequence

class Verifier {
 public:
  Verifier(storage::Transaction& transaction, const ChainKey& chain_key, const CheckpointKey& checkpoint_key)
      : transaction_(transaction), chain_key_(chain_key), checkpoint_key_(checkpoint_key) {}

  AuditReport run(const std::vector<AuditCheckpoint>& saved) {
    const bool checkpoints_whole = read_checkpoints() && take_all(saved);
    if (!checkpoints_whole) return report_;
    std::map<std::int64_t, ChainHead> heads;
    for (const auto& head : list_chain_heads(transaction_)) heads.emplace(head.id, head);
    for (const auto chain : list_chains(heads)) {
      const auto found = heads.find(chain);
      if (!walk(chain, found == heads.end() ? ChainHead{.id = chain} : found->second)) break;
    }
    return report_;
  }

 private:
  bool broken(std::string what) {
    report_.broken = std::move(what);
    return false;
  }

  bool take(const AuditCheckpoint& checkpoint) {
    const auto when = to_rfc3339(checkpoint.made_at);
    if (!checkpoint_key_.verify(checkpoint))
      return broken(
          fmt::format("the checkpoint of {} ({}) has a wrong signature", when, checkpoint.id.to_string()));
    const auto heads = parse_heads(checkpoint.heads);
    if (!heads) return broken(fmt::format("the checkpoint of {} cannot be read", when));
    for (const auto& head : *heads) {
      const auto [at, added] =
          witnesses_[head.id].try_emplace(head.sequence, Witness{head.hash, checkpoint.made_at});
      if (!added && at->second.hash != head.hash)
        return broken(fmt::format("two checkpoints differ on row {} of chain {}", head.sequence, head.id));
    }
    ++report_.checkpoints;
    return true;
  }

  bool take_all(const std::vector<AuditCheckpoint>& checkpoints) {
    return std::ranges::all_of(checkpoints, [this](const auto& checkpoint) { return take(checkpoint); });
  }

  bool read_checkpoints() {
    AuditCheckpoint last{.id = {}, .made_at = Time{microseconds{INT64_MIN}}, .heads = {}, .signature = {}};
    while (true) {
      const auto page = transaction_.list<AuditCheckpoint>(
          "SELECT id, made_at, heads, signature FROM audit_checkpoints WHERE made_at >= $1 AND (made_at > $1 "
          "OR id > $2) ORDER BY made_at, id LIMIT $3",
          last.made_at, last.id, page_rows);
      if (page.empty()) return true;
      if (!take_all(page)) return false;
      last = page.back();
    }
  }

  std::set<std::int64_t> list_chains(const std::map<std::int64_t, ChainHead>& heads) {
    std::set<std::int64_t> chains;
    for (const auto chain :
         transaction_.list<std::int64_t>("SELECT DISTINCT chain FROM audit_events ORDER BY chain"))
      chains.insert(chain);
    for (const auto& [chain, head] : heads) chains.insert(chain);
    for (const auto& [chain, rows] : witnesses_) chains.insert(chain);
    return chains;
  }

  /// From the first row of the chain to its last.
  bool walk(std::int64_t chain, const ChainHead& head) {
    ChainHead at{.id = chain};
    while (true) {
      const auto page = transaction_.list<AuditRow>(
          "SELECT " KEYWARD_AUDIT_COLUMNS
          " FROM audit_events WHERE chain = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
          chain, at.sequence, page_rows);
      if (page.empty()) break;
      for (const auto& row : page) {
        if (!step(at, row)) return false;
      }
    }
    return check_end(at, head);
  }

  bool step(ChainHead& at, const AuditRow& row) {
    const auto place = fmt::format("row {} of chain {}", at.sequence + 1, row.chain);
    if (row.sequence != at.sequence + 1)
      return broken(fmt::format("{} is missing; the next there is row {}, of {}", place, row.sequence,
                                to_rfc3339(row.occurred_at)));
    if (chain_key_.hash(at.hash, row) != row.hash)
      return broken(fmt::format("{}, {} of {}, was changed or does not follow the row before it", place,
                                row.event, to_rfc3339(row.occurred_at)));
    at.sequence = row.sequence;
    at.hash = row.hash;
    const auto& rows = witnesses_[row.chain];
    if (const auto said = rows.find(row.sequence); said != rows.end() && said->second.hash != row.hash)
      return broken(fmt::format("{} is not the one that the checkpoint of {} saw", place,
                                to_rfc3339(said->second.made_at)));
    ++report_.rows;
    return true;
  }

  bool check_end(const ChainHead& at, const ChainHead& head) {
    const auto& rows = witnesses_[at.id];
    if (const auto missing = rows.upper_bound(at.sequence); missing != rows.end())
      return broken(
          fmt::format("chain {} ends at row {}, but the checkpoint of {} saw row {}: its tail was cut off",
                      at.id, at.sequence, to_rfc3339(missing->second.made_at), missing->first));
    if (at != head)
      return broken(fmt::format(
          "chain {} ends at row {}, but its recorded end is row {}: its tail was cut off or changed", at.id,
          at.sequence, head.sequence));
    return true;
  }

  storage::Transaction& transaction_;
  const ChainKey& chain_key_;
  const CheckpointKey& checkpoint_key_;
  Witnesses witnesses_;
  AuditReport report_;
};

}  // namespace

AuditReport verify_audit(storage::Transaction& transaction, const ChainKey& chain_key,
                         const CheckpointKey& checkpoint_key, const std::vector<AuditCheckpoint>& saved) {
  return Verifier{transaction, chain_key, checkpoint_key}.run(saved);
}

}  // namespace keyward::domain
