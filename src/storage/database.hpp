// Database: what the rest of Keyward knows of storage. Plain functions run on a database thread, in a
// transaction.
//
//   auto account = co_await database.read([email](Transaction& t) {
//     return t.find<Account>("SELECT id, email FROM accounts WHERE email_normalized = $1", email);
//   });
//
// A closure may be run more than once (after a conflict, or when its group broke), so it only reads its
// captures, or sets them to values that do not depend on earlier runs; mails, counters and the like belong in
// after_commit. If it throws, or returns a Result that holds an error, its changes are rolled back and the
// caller gets just that.
//
// Threats: string-built SQL (Z6: see sql.hpp); two calls that both win (one conditional UPDATE … RETURNING
// consumes); an answer before the change is durable (the caller resumes after the commit's fsync); a flood
// (bounded queues: Unavailable).
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>
#include <variant>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/secret.hpp"
#include "runtime/completion.hpp"
#include "runtime/task.hpp"
#include "storage/connection.hpp"
#include "storage/errors.hpp"
#include "storage/job.hpp"
#include "storage/lane.hpp"
#include "storage/transaction.hpp"

namespace keyward::storage {

struct DatabaseOptions {
  std::filesystem::path path;  // the SQLite file; its folder is made when it is missing
  Secret postgres_url;         // not empty: this database of PostgreSQL, and none of SQLite
  std::size_t reader_threads = 2;
  std::size_t writer_threads = 4;                // PostgreSQL's; SQLite has one
  std::chrono::milliseconds busy_timeout{5000};  // how long another process may hold the file
  std::size_t queue_max = limits::database_queue_max;
  std::size_t group_max = limits::group_commit_max;
  bool create = true;                      // false: a missing SQLite file is ErrorCode::not_found
  bool allow_network_file_system = false;  // SQLite's locks are not safe there
};

/// The engine that they name.
Result<std::unique_ptr<Driver>> open_driver(const DatabaseOptions& options);

class Database {
 public:
  /// Opens (and makes) the file, or connects to the server, and starts the threads. Does not migrate: see
  /// migrations.hpp.
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  /// The same with an engine of your own.
  static Result<std::unique_ptr<Database>> open(std::unique_ptr<Driver> driver, std::size_t queue_max);

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  /// Runs what waits and closes the file. It goes before the loops that its callers resume on.
  ~Database();

  /// Runs `f(Transaction&)` on a reader; it sees one committed state from its first statement to its last.
  template <class F>
  Task<detail::ClosureResult<F>> read(F f) {
    return run(*readers_, std::move(f));
  }
  /// Runs `f(Transaction&)` on a writer and resumes the caller on its own loop once the change is durable.
  template <class F>
  Task<detail::ClosureResult<F>> write(F f) {
    return run(*writers_, std::move(f));
  }

  /// write() for whoever waits for nothing: `done(Outcome<…>)` is called on a database thread, or at once
  /// when the queue is full.
  template <class F, class Done>
  void write_later(F f, Done done) {
    writers_->submit(std::make_unique<detail::JobOf<F, Done>>(std::move(f), std::move(done)));
  }

  /// What works off the notes of the write closures (Transaction::leave): once, before the first of them.
  void finish_with(Finisher finisher) { writers_->finish_with(std::move(finisher)); }

  /// Runs `look` at the head of a read, at most once in `interval`; what it throws the reader gets.
  void look_with(std::function<void(Transaction&)> look, std::chrono::milliseconds interval) {
    readers_->look_with(std::move(look), interval);
  }

  /// read() and write() for the command line and tests: from any thread but a loop's or the database's own.
  template <class F>
  detail::ClosureResult<F> blocking_read(F f) {
    return blocking_run(*readers_, std::move(f));
  }
  template <class F>
  detail::ClosureResult<F> blocking_write(F f) {
    return blocking_run(*writers_, std::move(f));
  }

  /// With a driver whose lanes have no threads: Lane::run_waiting.
  bool run_waiting_reads() { return readers_->run_waiting(); }
  bool run_waiting_writes() { return writers_->run_waiting(); }

  /// One write at a time, those of other processes among them: a row that all of them change costs nothing.
  [[nodiscard]] bool writers_take_turns() const { return driver_->writers_take_turns(); }
  /// Closures that wait for a thread, for metrics.
  [[nodiscard]] LaneStatistics read_statistics() const { return readers_->statistics(); }
  [[nodiscard]] LaneStatistics write_statistics() const { return writers_->statistics(); }
  [[nodiscard]] std::size_t waiting_reads() const { return readers_->waiting(); }
  [[nodiscard]] std::size_t waiting_writes() const { return writers_->waiting(); }

 private:
  explicit Database(std::unique_ptr<Driver> driver);

  template <class F, class T = detail::Stored<detail::ClosureResult<F>>>
  static Task<T> await_job(Lane& lane, F f) {
    return await_completion<T>([&lane, f = std::move(f)](Completion<T> done) mutable {
      lane.submit(std::make_unique<detail::JobOf<F, Completion<T>>>(std::move(f), std::move(done)));
    });
  }
  template <class F>
  static Task<void> await_void(Lane* lane, F f) {
    co_await await_job(*lane, std::move(f));
  }
  template <class F>
  static Task<detail::ClosureResult<F>> run(Lane& lane, F f) {
    if constexpr (std::is_void_v<detail::ClosureResult<F>>) {
      return await_void(&lane, std::move(f));
    } else {
      return await_job(lane, std::move(f));
    }
  }

  template <class F, class T = detail::Stored<detail::ClosureResult<F>>>
  static detail::ClosureResult<F> blocking_run(Lane& lane, F f) {
    if (Lane::on_database_thread()) throw std::logic_error("a database thread cannot wait for the database");
    std::promise<Outcome<T>> promise;
    auto future = promise.get_future();
    lane.submit(std::make_unique<detail::JobOf<F, detail::Waiter<T>>>(std::move(f),
                                                                      detail::Waiter<T>{std::move(promise)}));
    while (future.wait_for(std::chrono::seconds{0}) != std::future_status::ready && lane.run_waiting()) {
    }
    Outcome<T> outcome = future.get();
    if (!outcome) std::rethrow_exception(std::move(outcome).error());
    if constexpr (!std::is_void_v<detail::ClosureResult<F>>) return std::move(*outcome);
  }

  std::unique_ptr<Driver> driver_;
  // In this order: the readers close first, so that the writer is the one to tidy up.
  std::unique_ptr<Lane> writers_;
  std::unique_ptr<Lane> readers_;
};

}  // namespace keyward::storage
