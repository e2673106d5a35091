#include "storage/move/move.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <thread>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "storage/migrations.hpp"
#include "storage/move/moves.hpp"
#include "storage/postgres/driver.hpp"

namespace keyward::storage {
namespace {

constexpr int rounds_max = 4;  // while servers write; what they write meanwhile is left to the last one

/// A transaction on a connection of our own, rolled back unless it is committed.
class Held {
 public:
  explicit Held(Connection& connection) : connection_(connection) { connection_.begin(); }
  /// In which nobody else writes to the tables.
  Held(Connection& connection, std::span<const std::string> tables) : Held(connection) {
    connection_.hold_writers(tables);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { connection_.rollback(); }

 private:
  Connection& connection_;
};

/// Both sides, opened as a move needs them.
struct Sides {
  std::unique_ptr<Database> source, target;
  std::unique_ptr<Driver> source_driver, target_driver;
};

Result<std::unique_ptr<Database>> open_at_this_version(const DatabaseOptions& options,
                                                       std::string_view side) {
  auto database = Database::open(options);
  if (!database) return fail_from(database);
  auto missing = blocking_plan_migrations(**database);
  if (!missing) return fail_from(missing);
  const auto applied = (*database)->blocking_read([](Transaction& transaction) {
    return transaction.get<std::int64_t>("SELECT count(*) FROM schema_migrations");
  });
  if (!missing->empty() || applied != static_cast<std::int64_t>(built_in_migrations().size())) {
    return fail(ErrorCode::conflict,
                fmt::format("The {} is of another version than this program. Move with the version that its "
                            "servers run.",
                            side));
  }
  return database;
}

/// A table whose rows come with the migrations tells nothing.
bool is_empty(const Table& table, Connection& connection) {
  return table.name == "roles" ||
         TableStatements{table, connection.by_bytes(), "the target"}.is_empty(connection);
}

/// Before anything is done to it: a target is empty (of rows: a migration may have been interrupted), or
/// holds a part of this move.
Result<void> check_target(const DatabaseOptions& options, const std::optional<DatabaseMove>& out) {
  const auto refuse = [&] {
    if (out && out->state == move_done)
      return fail(ErrorCode::conflict, fmt::format("The database has moved to {} already.", out->peer));
    return fail(ErrorCode::conflict, "The target is not empty: choose another database.");
  };
  auto driver = open_driver(options);
  if (!driver) return fail_from(driver);
  const auto connection = (*driver)->connect(Access::read);
  const Held held{*connection};
  std::vector<Table> tables;
  try {
    tables = connection->list_tables();
  } catch (const std::logic_error&) {  // of kinds that no migration of ours makes
    return refuse();
  }
  if (tables.empty()) return {};
  if (!connection->has_table("schema_migrations")) return refuse();
  Transaction transaction{*connection};
  if (connection->has_table("database_moves")) {
    const auto in = find_move(transaction, move_in);
    if (in && out && in->id == out->id) return {};
    if (in) return refuse();
  }
  std::erase_if(tables, [](const Table& table) { return !is_moved(table); });
  const bool empty =
      std::ranges::all_of(tables, [&](const Table& table) { return is_empty(table, *connection); });
  if (!empty) return refuse();
  return {};
}

Result<std::unique_ptr<Database>> open_target(const DatabaseOptions& options, Database& source, Time now) {
  const auto out = source.blocking_read([](Transaction& t) { return find_move(t, move_out); });
  if (auto good = check_target(options, out); !good) return fail_from(good);
  auto database = Database::open(options);
  if (!database) return fail_from(database);
  if (auto migrated = blocking_migrate(**database, now); !migrated) return fail_from(migrated);
  return database;
}

bool is_empty(const MovedTables& tables, Connection& target) {
  const Held held{target};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (!is_empty(tables.of_target(i).table(), target)) return false;
  }
  return true;
}

/// A connection for a move: in a transaction of one side it waits for the other's rows. Yet not for ever: a
/// process that was stopped, or whose machine is gone, lets go.
std::unique_ptr<Connection> connect(Driver& driver, const DatabaseOptions& options, Access access,
                                    std::chrono::milliseconds idle_max) {
  auto connection = driver.connect(access);
  if (options.postgres_url.empty()) return connection;  // SQLite ends no transaction by itself
  const std::chrono::milliseconds statement_max = limits::move_lock_wait;
  connection->begin();
  connection->run_script(
      fmt::format("SET idle_in_transaction_session_timeout = {}; SET statement_timeout = {}",
                  idle_max.count(), statement_max.count()));
  connection->commit();
  return connection;
}

/// Of one that holds no writers up.
std::unique_ptr<Connection> connect(Driver& driver, const DatabaseOptions& options, Access access) {
  return connect(driver, options, access, limits::postgres_migration_timeout);
}

/// As storage opens it, with statements that may take longer: pages of large tables.
Result<std::unique_ptr<Driver>> open_patient_driver(const DatabaseOptions& options) {
  if (options.postgres_url.empty()) return open_driver(options);
  return postgres::open_driver({.url = options.postgres_url.copy(),
                                .answer_limit = limits::move_lock_wait + limits::postgres_answer_margin});
}

class Mover {
 public:
  Mover(const MoveOptions& options, Sides& sides, const Clock& clock, Random& random)
      : options_(options),
        sides_(sides),
        clock_(clock),
        random_(random),
        reading_(connect(*sides.source_driver, options.source, Access::read)),
        target_(connect(*sides.target_driver, options.target, Access::write)),
        tables_(describe()) {}

  Result<ComparedTables> run() {
    if (auto begun = begin(); !begun) return fail_from(begun);
    auto compared = is_retired_ ? copy_from_retired() : copy_and_retire();
    if (!compared || find_difference(*compared) != nullptr) return compared;
    std::this_thread::sleep_for(options_.settle_time);
    sides_.target->blocking_write(
        [&](Transaction& transaction) { finish_move(transaction, claim_, clock_.now()); });
    return compared;
  }

 private:
  MovedTables describe() {
    const Held source{*reading_};
    const Held target{*target_};
    return MovedTables{*reading_, *target_};
  }

  /// Sets claim_ and is_retired_, and says on both sides what is coming.
  Result<void> begin() {
    const auto out = sides_.source->blocking_read([](Transaction& t) { return find_move(t, move_out); });
    const auto in = sides_.target->blocking_read([](Transaction& t) { return find_move(t, move_in); });
    claim_.fence = Uuid::make_v7(clock_.now(), random_);
    if (in && in->state != move_done && out && in->id == out->id) return take_over(out->id);
    if (out && out->state == move_done) return refuse_source(*out);
    if (in || !is_empty(tables_, *target_)) return refuse_target();
    claim_.id = Uuid::make_v7(clock_.now(), random_);
    auto begun = sides_.source->blocking_write([&](Transaction& transaction) -> Result<void> {
      const auto other = find_move(transaction, move_out);
      if (other && other->state == move_done) return refuse_source(*other);
      put(transaction, move_out, options_.target_shown);  // from here on one to another target is over
      return {};
    });
    if (!begun) return begun;
    begun = sides_.target->blocking_write([&](Transaction& transaction) -> Result<void> {
      if (find_move(transaction, move_out))
        return fail(ErrorCode::conflict, "The target is the database itself: choose another.");
      if (find_move(transaction, move_in)) return refuse_target();
      put(transaction, move_in, options_.source_shown);
      return {};
    });
    if (!begun) sides_.source->blocking_write([](Transaction& transaction) { forget_moves(transaction); });
    return begun;
  }

  static Result<void> refuse_source(const DatabaseMove& out) {
    return fail(ErrorCode::conflict, fmt::format("The database has moved to {} already.", out.peer));
  }
  static Result<void> refuse_target() {
    return fail(ErrorCode::conflict, "The target is not empty: choose another database.");
  }

  /// Whoever was at work on it before cannot go on.
  Result<void> take_over(const Uuid& id) {
    if (!options_.resume)
      return fail(ErrorCode::conflict,
                  "The target holds a part of this database already: go on with --resume.");
    claim_.id = id;
    try {
      sides_.target->blocking_write([&](Transaction& transaction) {
        take_move(transaction, claim_);
        hold_move(transaction, claim_);  // it may have come to its end meanwhile
      });
      is_retired_ = sides_.source->blocking_write([&](Transaction& transaction) {
        take_move(transaction, claim_);
        return find_move(transaction, move_out)->state == move_done;
      });
      return {};
    } catch (const Unavailable& held) {
      return fail(ErrorCode::unavailable,
                  fmt::format("Another process seems to be at work on this move ({}). "
                              "End it, then try again.",
                              held.what()));
    }
  }

  void put(Transaction& transaction, std::string_view direction, const std::string& peer) {
    put_move(transaction, {.id = claim_.id,
                           .fence = claim_.fence,
                           .direction = std::string{direction},
                           .state = std::string{move_copying},
                           .peer = peer,
                           .started_at = clock_.now(),
                           .finished_at = std::nullopt});
  }

  void hold(Connection& side) const {
    Transaction transaction{side};
    hold_move(transaction, claim_);
  }

  std::size_t reconcile_from(Connection& source) {
    return reconcile(
        tables_, source, *target_, [this](Connection& target) { hold(target); }, options_.progress);
  }

  Result<ComparedTables> copy_and_retire() {
    for (int round = 0; round < rounds_max; ++round) {
      const Held held{*reading_};
      if (reconcile_from(*reading_) < limits::move_page_rows) break;
    }
    const auto deadline = std::chrono::steady_clock::now() + limits::move_lock_wait;
    while (true) {
      try {
        return retire();
      } catch (const Unavailable& busy) {  // a writer that holds the file, two that wait for each other
        if (std::chrono::steady_clock::now() < deadline) continue;
        return fail(
            ErrorCode::unavailable,
            fmt::format("The last step found no room among the writers ({}). Nothing is lost: try again "
                        "with --resume.",
                        busy.what()));
      }
    }
  }

  /// The last round and the end of the source, in one transaction beside which nobody writes.
  ComparedTables retire() {
    const auto writing =
        connect(*sides_.source_driver, options_.source, Access::write, limits::move_lock_wait);
    const auto names = tables_.names();
    const Held held{*writing, names};
    hold(*writing);
    reconcile_from(*writing);
    const Held held_target{*target_};  // until the source is retired for it
    hold(*target_);
    auto compared = compare(tables_, *writing, *target_, options_.sha256);
    if (find_difference(compared) != nullptr) return compared;
    writing->refuse_writes(names);
    Transaction transaction{*writing};
    finish_move(transaction, claim_, clock_.now());
    writing->commit();
    log(LogLevel::info, "database_moved", {{"to", options_.target_shown}});
    return compared;
  }

  /// The process before us came so far.
  ComparedTables copy_from_retired() {
    const Held held{*reading_};
    reconcile_from(*reading_);
    const Held held_target{*target_};
    hold(*target_);
    return compare(tables_, *reading_, *target_, options_.sha256);
  }

  const MoveOptions& options_;
  Sides& sides_;
  const Clock& clock_;
  Random& random_;
  const std::unique_ptr<Connection> reading_, target_;
  const MovedTables tables_;
  MoveClaim claim_;
  bool is_retired_ = false;
};

/// What goes wrong while nobody waits on a lane is thrown.
template <class F>
auto as_sentence(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const Failure& failure) {
    return fail(ErrorCode::unavailable, failure.what());
  } catch (const std::logic_error& wrong) {  // tables that are not as our migrations make them
    return fail(ErrorCode::internal, wrong.what());
  }
}

/// One that is half filled is no source; one that has moved away is, of the move that is to be finished.
Result<void> check_source(Database& source) {
  return source.blocking_read([](Transaction& transaction) -> Result<void> {
    const auto in = find_move(transaction, move_in);
    if (in && in->state != move_done) return check_in_use(transaction);
    return {};
  });
}

Result<Sides> open_sides(const MoveOptions& options, bool make_target, Time now) {
  auto source = open_at_this_version(options.source, "database");
  if (!source) return fail_from(source);
  if (auto good = make_target ? check_source(**source) : Result<void>{}; !good) return fail_from(good);
  auto target = make_target ? open_target(options.target, **source, now)
                            : open_at_this_version(options.target, "target");
  if (!target) return fail_from(target);
  auto source_driver = open_patient_driver(options.source);
  auto target_driver = open_patient_driver(options.target);
  if (!source_driver) return fail_from(source_driver);
  if (!target_driver) return fail_from(target_driver);
  return Sides{std::move(*source), std::move(*target), std::move(*source_driver), std::move(*target_driver)};
}

}  // namespace

const ComparedTable* find_difference(const ComparedTables& tables) {
  const auto found =
      std::ranges::find_if(tables, [](const auto& table) { return table.source != table.target; });
  return found == tables.end() ? nullptr : &*found;
}

Result<ComparedTables> blocking_move(const MoveOptions& options, const Clock& clock, Random& random) {
  return as_sentence([&]() -> Result<ComparedTables> {
    auto sides = open_sides(options, true, clock.now());
    if (!sides) return fail_from(sides);
    return Mover{options, *sides, clock, random}.run();
  });
}

Result<ComparedTables> blocking_compare(const MoveOptions& options) {
  return as_sentence([&]() -> Result<ComparedTables> {
    auto sides = open_sides(options, false, {});
    if (!sides) return fail_from(sides);
    const auto source = connect(*sides->source_driver, options.source, Access::read);
    const auto target = connect(*sides->target_driver, options.target, Access::read);
    const Held held_source{*source};
    const Held held_target{*target};
    return compare(MovedTables{*source, *target}, *source, *target, options.sha256);
  });
}

Result<void> blocking_reopen(const DatabaseOptions& options) {
  return as_sentence([&]() -> Result<void> {
    auto database = open_at_this_version(options, "database");
    if (!database) return fail_from(database);
    if (!(*database)->blocking_read([](Transaction& t) { return find_move(t, move_out).has_value(); }))
      return fail(ErrorCode::not_found, "This database has not moved.");
    auto driver = open_driver(options);
    if (!driver) return fail_from(driver);
    const auto connection = (*driver)->connect(Access::write);
    const Held held{*connection};
    std::vector<std::string> names;
    for (const Table& table : connection->list_tables()) names.push_back(table.name);
    connection->allow_writes(names);
    Transaction transaction{*connection};
    forget_moves(transaction);
    connection->commit();
    return {};
  });
}

}  // namespace keyward::storage
