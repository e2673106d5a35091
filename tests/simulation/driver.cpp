#include "simulation/driver.hpp"

#include "storage/errors.hpp"
#include "storage/sqlite/connection.hpp"

namespace keyward::simulation {
namespace {

using storage::Access;

class SimulatedConnection final : public storage::Connection {
 public:
  SimulatedConnection(Engine engine, ProcessId process, Access access)
      : engine_(engine), process_(process), access_(access), real_({.path = database_path}, access) {}

  void begin() override {
    real_.begin();
    constexpr unsigned seldom = 16;
    if (engine_.ledger.is_in_doubt() || ++begun_ % seldom == 0) {
      if (const auto content = look()) engine_.ledger.see(*content, to_word());
    }
  }
  void commit() override {
    if (access_ == Access::read) return real_.commit();
    const auto content = look();
    try {
      real_.commit();
    } catch (const storage::Failure&) {
      if (content) engine_.ledger.doubt(*content);
      engine_.trace.add("  the commit fails");
      throw;
    }
    if (content) engine_.ledger.committed(*content);
  }
  void rollback() noexcept override { real_.rollback(); }
  void savepoint() override {
    at_savepoint_ = look();
    real_.savepoint();
  }
  void release_savepoint() override { real_.release_savepoint(); }
  void rollback_to_savepoint() override {
    real_.rollback_to_savepoint();
    if (const auto content = look(); content != at_savepoint_ && engine_.disk.is_alive(process_))
      engine_.trace.violate("a closure that was rolled back left something behind");
  }
  [[nodiscard]] bool in_transaction() const override { return real_.in_transaction(); }
  [[nodiscard]] bool usable() const override { return real_.usable(); }
  storage::Statement& prepare(storage::Sql sql) override { return real_.prepare(sql); }
  void run_script(std::string_view script) override { real_.run_script(script); }
  [[nodiscard]] bool has_table(std::string_view name) override { return real_.has_table(name); }
  [[nodiscard]] bool has_column(std::string_view table, std::string_view column) override {
    return real_.has_column(table, column);
  }
  void lock_schema() override { real_.lock_schema(); }
  [[nodiscard]] Time now() override { return engine_.clock.now(); }
  [[nodiscard]] std::vector<storage::Table> list_tables() override { return real_.list_tables(); }
  void hold_writers(std::span<const std::string> tables) override { real_.hold_writers(tables); }
  void refuse_writes(std::span<const std::string> tables) override { real_.refuse_writes(tables); }
  void allow_writes(std::span<const std::string> tables) override { real_.allow_writes(tables); }
  [[nodiscard]] std::string_view by_bytes() const override { return real_.by_bytes(); }

 private:
  [[nodiscard]] const char* to_word() const { return access_ == Access::read ? "a reader" : "a writer"; }

  /// Nothing: whoever looks is dead.
  std::optional<ContentHash> look() {
    if (!engine_.disk.is_alive(process_)) return std::nullopt;
    const Disk::Quiet quiet{engine_.disk};
    return hash_content(real_);
  }

  Engine engine_;
  ProcessId process_;
  Access access_;
  storage::sqlite::SqliteConnection real_;
  unsigned begun_ = 0;
  std::optional<ContentHash> at_savepoint_;
};

class SimulatedDriver final : public storage::Driver {
 public:
  SimulatedDriver(Engine engine, ProcessId process, std::size_t group_max)
      : engine_(engine), process_(process), group_max_(group_max) {}

  [[nodiscard]] storage::LaneShape shape(Access access) const override {
    return {.connections = 1, .group_max = access == Access::write ? group_max_ : 1, .threads = false};
  }
  [[nodiscard]] bool writers_take_turns() const override { return true; }
  std::unique_ptr<storage::Connection> connect(Access access) override {
    return std::make_unique<SimulatedConnection>(engine_, process_, access);
  }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return engine_.clock.steady_point();
  }
  [[nodiscard]] microseconds draw_pause(microseconds most) const override {
    return microseconds{engine_.disk.dice().between(0, most.count())};
  }
  void sleep_for(microseconds pause) const override { engine_.clock.pass(pause); }

 private:
  Engine engine_;
  ProcessId process_;
  std::size_t group_max_;
};

}  // namespace

std::unique_ptr<storage::Driver> make_driver(Engine engine, ProcessId process, std::size_t group_max) {
  return std::make_unique<SimulatedDriver>(engine, process, group_max);
}

}  // namespace keyward::simulation
