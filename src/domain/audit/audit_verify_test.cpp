// Checkpoints that say what the rows do not, and lines that are none.
#include "domain/audit/audit_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_folder.hpp"
#include "crypto/system_random.hpp"
#include "domain/audit/audit_trail.hpp"
#include "storage/migrations.hpp"
#include "text/base64url.hpp"

namespace keyward::domain {
namespace {

using testing::HasSubstr;

constexpr Time start{seconds{1'800'000'000}};

class AuditVerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = storage::Database::open({.path = folder_.path() / "keyward.db"}).value();
    ASSERT_TRUE(storage::blocking_migrate(*database_, start));
    trail_.attach(*database_);
    for (int i = 1; i <= 3; ++i) {
      database_->blocking_write([&](storage::Transaction& transaction) {
        trail_.record(transaction, {.name = "authn_login_success"}, start + seconds{i});
      });
    }
  }
  std::string broken(const std::vector<AuditCheckpoint>& saved) {
    return database_->blocking_read([&](storage::Transaction& transaction) {
      return verify_audit(transaction, ChainKey{master_key_}, checkpoint_key_, saved).broken.value_or("");
    });
  }
  AuditCheckpoint sign(const std::vector<ChainHead>& heads) {
    return checkpoint_key_.sign(Uuid::make_v7(start, random_), start, heads);
  }
  ChainHead end_of_chain() { return database_->blocking_read(list_chain_heads).at(0); }

  TemporaryFolder folder_;
  crypto::SystemRandom random_;
  crypto::MasterKey master_key_ = crypto::MasterKey::generate(random_);
  AuditTrail trail_{master_key_, EmailInEvents::hashed, random_};
  CheckpointKey checkpoint_key_{master_key_};
  std::unique_ptr<storage::Database> database_;
};

TEST_F(AuditVerifyTest, L3_rows_that_were_all_written_anew_are_not_those_that_a_checkpoint_saw) {
  const auto seen = end_of_chain();
  EXPECT_EQ(broken({sign({seen})}), "");
  auto other = seen;
  other.hash.front() ^= 1;
  EXPECT_THAT(broken({sign({other})}), HasSubstr("row 3 of chain 0 is not the one that the checkpoint of"));
  EXPECT_EQ(broken({sign({seen}), sign({other})}), "two checkpoints differ on row 3 of chain 0");
}

TEST_F(AuditVerifyTest, L3_a_recorded_end_that_is_not_the_last_row_is_told) {
  database_->blocking_write(
      [](storage::Transaction& transaction) { transaction.execute("UPDATE audit_chains SET sequence = 4"); });
  EXPECT_EQ(broken({}),
            "chain 0 ends at row 3, but its recorded end is row 4: its tail was cut off or changed");
}

TEST_F(AuditVerifyTest, L3_a_checkpoint_that_cannot_be_read_is_told_though_its_signature_is_right) {
  const auto bytes = text::parse_base64url(checkpoint_key_.public_key());
  ASSERT_TRUE(bytes);
  const auto key = crypto::PrivateKey::from_numbers(
      crypto::Algorithm::eddsa, {crypto::EdNumbers{*bytes}, master_key_.derive("audit checkpoint 1")});
  ASSERT_TRUE(key);
  for (const std::string_view heads :
       {"", "{}", "[1]", R"([{"chain":0}])", R"([{"chain":0,"sequence":"3","hash":""}])",
        R"([{"chain":0,"sequence":3,"hash":"AAAA"}])"}) {
    auto checkpoint = sign({});
    checkpoint.heads = heads;
    checkpoint.signature =
        key->sign(as_bytes("keyward audit checkpoint 1\n" + checkpoint.id.to_string() + '\n' +
                           std::to_string(start.time_since_epoch().count()) + '\n' + checkpoint.heads));
    EXPECT_THAT(broken({checkpoint}), HasSubstr("cannot be read")) << heads;
  }
}

TEST_F(AuditVerifyTest, a_line_is_a_checkpoint_or_it_is_refused) {
  const auto line = to_json_line(sign({end_of_chain()}));
  EXPECT_TRUE(parse_checkpoint_line(line));
  const auto with = [&](std::string_view there, std::string_view instead) {
    auto changed = line;
    changed.replace(changed.find(there), there.size(), instead);
    return changed;
  };
  for (const auto& other : {std::string{}, std::string{"[]"}, with("audit_checkpoint", "authn_login"),
                            with("made_at_us", "made"), with(R"("made_at_us":)", R"("made_at_us":0.)"),
                            with(R"("id":")", R"("id":"x)"), with(R"("signature":")", R"("signature":"+)")}) {
    const auto parsed = parse_checkpoint_line(other);
    ASSERT_FALSE(parsed) << other;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_input);
  }
}

}  // namespace
}  // namespace keyward::domain
