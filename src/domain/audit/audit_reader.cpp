#include "domain/audit/audit_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace keyward::domain {

std::string AuditPosition::to_string() const {
  return fmt::format("{}.{}.{}", occurred_at.time_since_epoch().count(), chain, sequence);
}

std::optional<AuditPosition> AuditPosition::parse(std::string_view text) {
  std::array<std::int64_t, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (i + 1 == numbers.size()) break;
    if (!text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return AuditPosition{Time{microseconds{numbers[0]}}, numbers[1], numbers[2]};
}

std::vector<AuditRow> list_audit_events(storage::Transaction& transaction, const AuditFilter& filter,
                                        const std::optional<AuditPosition>& before, std::int64_t limit) {
  constexpr Time end_of_time{microseconds{INT64_MAX}};
  const AuditPosition from = before.value_or(AuditPosition{end_of_time, INT64_MAX, INT64_MAX});
  // A parameter is compared before it is asked for NULL: the comparison tells PostgreSQL its type.
  return transaction.list<AuditRow>(
      "SELECT " KEYWARD_AUDIT_COLUMNS
      " FROM audit_events WHERE occurred_at <= $1 "
      "AND (occurred_at < $1 OR chain < $2 OR (chain = $2 AND sequence < $3)) "
      "AND occurred_at >= $4 AND occurred_at < $5 "
      "AND (account_id = $6 OR actor_id = $6 OR $6 IS NULL) AND (event = $7 OR $7 IS NULL) "
      "AND (address = $8 OR $8 IS NULL) "
      "ORDER BY occurred_at DESC, chain DESC, sequence DESC LIMIT $9",
      from.occurred_at, from.chain, from.sequence, filter.since.value_or(Time{microseconds{INT64_MIN}}),
      filter.until.value_or(end_of_time), filter.account_id, filter.event, filter.address, limit);
}

std::vector<AuditRow> list_audit_events_after(storage::Transaction& transaction, const AuditPosition& after,
                                              std::int64_t limit) {
  return transaction.list<AuditRow>("SELECT " KEYWARD_AUDIT_COLUMNS
                                    " FROM audit_events WHERE occurred_at >= $1 "
                                    "AND (occurred_at > $1 OR chain > $2 OR (chain = $2 AND sequence > $3)) "
                                    "ORDER BY occurred_at, chain, sequence LIMIT $4",
                                    after.occurred_at, after.chain, after.sequence, limit);
}

}  // namespace keyward::domain
