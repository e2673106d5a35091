// Rows of a damaged or hostile database (storage/row, and every record of domain/): any value in any column.
//
// The statements are the real ones, prepared by SQLite against the real schema; what they return is made of
// the input, mostly of the type that a column's name suggests, sometimes not. Must hold: whoever reads such
// rows gets records or the documented std::logic_error, and nothing else happens: no crash, no other
// exception, no value that was not there.
#include <deque>
#include <filesystem>
#include <functional>
#include <map>

#include "base/testing/temporary_folder.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/audit/audit_reader.hpp"
#include "domain/deferred/deferred_requests.hpp"
#include "domain/identities/handover_codes.hpp"
#include "domain/identities/identities.hpp"
#include "domain/keys/signing_keys.hpp"
#include "domain/leases/leases.hpp"
#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "domain/outbox/outgoing_mails.hpp"
#include "domain/roles/rights.hpp"
#include "domain/roles/roles.hpp"
#include "domain/sessions/refresh.hpp"
#include "domain/sessions/sessions.hpp"
#include "domain/setup/setup_token.hpp"
#include "fuzz.hpp"
#include "protocol/jose/jwk.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite/driver.hpp"

namespace keyward::fuzz {
namespace {

using namespace storage;

const Time now = from_unix_s(1'764'000'000);

/// The columns of a real statement, with values of the input's.
class HostileStatement final : public Statement {
 public:
  HostileStatement(const Statement& real, Input*& given) : given_(given) { columns_ = real.columns(); }

  void start(std::span<const ValueView>) override { rows_left_ = 3; }
  bool next() override {
    texts_.clear();
    values_.clear();
    if (rows_left_-- == 0 || (given_->byte() & 3U) == 0) return false;
    for (const std::string& column : columns_) values_.push_back(some_value(column));
    return true;
  }
  [[nodiscard]] ValueView column(std::size_t index) const override { return values_.at(index); }
  [[nodiscard]] std::int64_t changed_rows() const override { return given_->flag() ? 1 : 0; }
  void finish() noexcept override {}

 private:
  BytesView keep(BytesView bytes) {
    texts_.emplace_back(as_text(bytes));
    return as_bytes(texts_.back());
  }
  BytesView some_bytes(std::size_t size) {
    const std::string fill(size, static_cast<char>(given_->byte()));
    return keep(as_bytes(fill));
  }

  ValueView some_value(std::string_view column) {
    switch (given_->byte() % 16) {
      case 0:
        return Null{};
      case 1:
        return given_->int64();
      case 2:
        return ValueView{std::in_place_type<bool>, given_->flag()};
      case 3:
        return as_text(keep(given_->bytes(given_->byte())));
      case 4:
        return keep(given_->bytes(given_->byte()));
      default:
        return likely_value(column);
    }
  }
  ValueView likely_value(std::string_view column) {
    if (column == "id" || column.ends_with("_id")) return some_bytes(16);
    if (column.ends_with("hash") || column.ends_with("binding") || column.ends_with("signature"))
      return some_bytes(32);
    if (column.ends_with("sealed") || column.ends_with("key")) return some_bytes(48);
    if (column.ends_with("_at") || column.ends_with("_us")) {
      return now.time_since_epoch().count() +
             static_cast<std::int8_t>(given_->byte()) * std::int64_t{1'000'000};
    }
    constexpr std::array<std::string_view, 8> numbers{"generation", "attempts", "sequence", "chain",
                                                      "count",      "number",   "waiting",  "tries"};
    if (std::ranges::find(numbers, column) != numbers.end()) return std::int64_t{given_->byte() % 4};
    if (column.ends_with("verified") || column.ends_with("disabled")) return std::int64_t{given_->byte() & 1};
    return as_text(keep(given_->bytes(given_->byte() % 32)));
  }

  Input*& given_;
  std::size_t rows_left_ = 0;
  std::deque<std::string> texts_;
  std::vector<ValueView> values_;
};

class HostileConnection final : public Connection {
 public:
  explicit HostileConnection(std::unique_ptr<Connection> real) : real_(std::move(real)) {}
  void read_from(Input& given) { given_ = &given; }

  void begin() override {}
  void commit() override {}
  void rollback() noexcept override {}
  void savepoint() override {}
  void release_savepoint() override {}
  void rollback_to_savepoint() override {}
  [[nodiscard]] bool in_transaction() const override { return true; }
  [[nodiscard]] bool usable() const override { return true; }
  Statement& prepare(Sql sql) override {
    auto& made = statements_[sql.key()];
    if (!made) made = std::make_unique<HostileStatement>(real_->prepare(sql), given_);
    return *made;
  }
  void run_script(std::string_view) override {}
  [[nodiscard]] bool has_table(std::string_view) override { return given_->flag(); }
  [[nodiscard]] bool has_column(std::string_view, std::string_view) override { return given_->flag(); }
  void lock_schema() override {}
  [[nodiscard]] Time now() override { return fuzz::now; }
  [[nodiscard]] std::vector<Table> list_tables() override { return {}; }
  void hold_writers(std::span<const std::string>) override {}
  void refuse_writes(std::span<const std::string>) override {}
  void allow_writes(std::span<const std::string>) override {}
  [[nodiscard]] std::string_view by_bytes() const override { return {}; }

 private:
  std::unique_ptr<Connection> real_;
  Input* given_ = nullptr;
  std::map<const char*, std::unique_ptr<HostileStatement>> statements_;
};

class Zeros final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override { std::ranges::fill(bytes, std::uint8_t{0}); }
};

/// What the readers need beside the rows.
struct World {
  TemporaryFolder folder;
  std::unique_ptr<Driver> driver;
  std::unique_ptr<HostileConnection> connection;
  Zeros random;
  ManualClock clock{now};
  crypto::MasterKey master_key = crypto::MasterKey::generate(random);
  domain::OneTimeTokens one_time{master_key, random};
  domain::ChainKey chain_key{master_key};
  domain::CheckpointKey checkpoint_key{master_key};
  domain::Leases leases{clock, random};

  World() {
    const sqlite::Options options{.path = folder.path() / "keyward.db"};
    auto database = Database::open(sqlite::open_driver(options).value(), 16).value();
    must_hold(blocking_migrate(*database, now).has_value(), "there is a schema");
    database.reset();
    driver = sqlite::open_driver(options).value();
    connection = std::make_unique<HostileConnection>(driver->connect(Access::write));
  }
};

const Uuid account{{1}}, session{{2}};

void read_keys(Transaction& transaction) {
  const auto rows = domain::list_signing_keys(transaction);
  for (const auto& row : rows) {
    (void)domain::status_of(row, rows, now);
    (void)protocol::jose::parse_verification_key(row.public_jwk);
  }
}

void refresh(Transaction& transaction) {
  const auto done = domain::refresh_session(transaction, {.session_id = session, .generation = 2},
                                            {"agent", "192.0.2.1"}, {}, now);
  must_hold(done.decision.generation >= 0, "a generation is none that nobody gave out");
}

void present(World& world, Transaction& transaction) {
  const domain::Proof proof{
      .token = Secret{std::string_view{"kw_ev_" + std::string(43, 'A')}}, .transaction{}, .code{}};
  (void)world.one_time.present(transaction, domain::TokenPurpose::verify_email, proof, now);
  const domain::Proof code{.token{},
                           .transaction = Secret{std::string_view{"kw_tx_" + std::string(43, 'A')}},
                           .code = Secret{std::string_view{"K7PM-2QXD"}}};
  (void)world.one_time.present(transaction, domain::TokenPurpose::reset_password, code, now);
}

using Reading = std::function<void(World&, Transaction&)>;
const std::vector<Reading>& readings() {
  static const std::vector<Reading> all{
      [](World&, Transaction& t) { (void)domain::find_account(t, account); },
      [](World&, Transaction& t) { (void)domain::find_account_by_email(t, "ann@example.com"); },
      [](World&, Transaction& t) { (void)domain::list_accounts(t, {}, std::nullopt, 2); },
      [](World&, Transaction& t) { (void)domain::set_disabled(t, account, true, now); },
      [](World&, Transaction& t) { (void)domain::delete_account(t, account); },
      [](World&, Transaction& t) { (void)domain::read_rights(t, account); },
      [](World&, Transaction& t) { (void)domain::list_all_roles(t, "", 2); },
      [](World&, Transaction& t) { (void)domain::find_role(t, "editor"); },
      [](World&, Transaction& t) { (void)domain::list_sessions(t, account, std::nullopt, 2, now); },
      [](World&, Transaction& t) { (void)domain::find_live_account(t, session, account, now); },
      [](World&, Transaction& t) { (void)domain::find_session_owner(t, session); },
      [](World&, Transaction& t) { refresh(t); },
      [](World&, Transaction& t) { read_keys(t); },
      [](World&, Transaction& t) { (void)domain::list_identities(t, account); },
      [](World&, Transaction& t) { (void)domain::use_login_code(t, "kw_hc_1", now); },
      [](World&, Transaction& t) { (void)domain::find_used_code(t, "kw_hc_1"); },
      [](World& world, Transaction& t) { present(world, t); },
      [](World&, Transaction& t) { (void)domain::is_email_reserved(t, "ann@example.com", account, now); },
      [](World&, Transaction& t) { (void)domain::claim_due_mail(t, now, {session, now}); },
      [](World&, Transaction& t) { (void)domain::list_outgoing_mails(t, "waiting", std::nullopt, 2); },
      [](World&, Transaction& t) { (void)domain::read_mail_queue(t); },
      [](World&, Transaction& t) { (void)domain::find_next_due_mail(t); },
      [](World&, Transaction& t) { (void)domain::take_due_request(t, now); },
      [](World&, Transaction& t) { (void)domain::find_next_due_request(t); },
      [](World&, Transaction& t) { (void)domain::find_setup_need(t); },
      [](World& world, Transaction& t) { (void)world.leases.take(t, domain::LeasedWork::mail_sweep); },
      [](World&, Transaction& t) { (void)domain::list_audit_events(t, {}, std::nullopt, 2); },
      [](World& world, Transaction& t) {
        const auto report = domain::verify_audit(t, world.chain_key, world.checkpoint_key, {});
        must_hold(report.rows == 0, "no row that was made up belongs to the chain");
      },
      [](World& world, Transaction& t) {
        if (const auto found = domain::find_last_checkpoint(t)) {
          must_hold(!world.checkpoint_key.verify(*found), "no checkpoint that was made up is signed");
          (void)domain::parse_heads(found->heads);
        }
      },
      [](World& world, Transaction& t) {
        (void)domain::make_checkpoint(t, world.checkpoint_key, now, world.random);
      },
  };
  return all;
}

}  // namespace

KEYWARD_FUZZ_TARGET(sql_rows) {
  static World world;
  Input given{input};
  const auto& reading = readings().at(given.below(readings().size()));
  world.connection->read_from(given);
  Transaction transaction{*world.connection};
  try {
    reading(world, transaction);
  } catch (const Violation&) {
    throw;
  } catch (const std::out_of_range& other) {
    must_hold(false, other.what());
  } catch (const std::length_error& other) {
    must_hold(false, other.what());
  } catch (const std::logic_error& refused) {
    must_hold(*refused.what() != '\0', "a refusal is a sentence");
  }
}

}  // namespace keyward::fuzz
