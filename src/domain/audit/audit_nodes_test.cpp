// Several nodes on one database: whose rows go into which chain.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <vector>

#include "crypto/system_random.hpp"
#include "domain/audit/audit_trail.hpp"
#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/migrations.hpp"

namespace keyward::domain {
namespace {

constexpr Time now{seconds{1'800'000'000}};

/// Every byte is the same.
class SameBytes final : public Random {
 public:
  explicit SameBytes(std::uint8_t byte) : byte_(byte) {}
  void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, byte_); }

 private:
  std::uint8_t byte_;
};

/// The chains of two nodes' rows, of one writer each.
std::vector<std::int64_t> chains_of_two_nodes(const storage::DatabaseOptions& options,
                                              const crypto::MasterKey& master_key) {
  auto migrated = storage::Database::open(options).value();
  if (!storage::blocking_migrate(*migrated, now)) throw std::runtime_error("migrate");
  for (const std::uint8_t node : std::array<std::uint8_t, 2>{3, 7}) {
    SameBytes random{node};
    AuditTrail trail{master_key, EmailInEvents::hashed, random};
    const auto database = storage::Database::open(options).value();
    trail.attach(*database);
    database->blocking_write(
        [&](storage::Transaction& t) { trail.record(t, {.name = "user_deleted"}, now); });
  }
  return migrated->blocking_read([](storage::Transaction& t) {
    return t.list<std::int64_t>("SELECT chain FROM audit_events ORDER BY chain");
  });
}

TEST(AuditNodes, L3_nodes_share_a_chain_only_where_their_writers_take_turns) {
  crypto::SystemRandom random;
  const auto master_key = crypto::MasterKey::generate(random);
  const storage::conformance::TemporaryFolder folder;
  EXPECT_EQ(chains_of_two_nodes({.path = folder.path() / "keyward.db"}, master_key),
            (std::vector<std::int64_t>{0, 0}));
  EXPECT_EQ(chains_of_two_nodes({.postgres_url = Secret{storage::conformance::postgres_url_of(folder.path())},
                                 .writer_threads = 1},
                                master_key),
            (std::vector<std::int64_t>{3, 7}));
}

}  // namespace
}  // namespace keyward::domain
