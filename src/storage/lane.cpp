#include "storage/lane.hpp"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace keyward::storage {
namespace {

thread_local bool is_database_thread = false;

/// Hands the exception over for good, a copy to each of several callers: none has a part in it that it would
/// have to give up while another's thread reads it.
void fail_with(Job& job, std::exception_ptr why) {
  std::optional<std::string> busy;
  try {
    std::rethrow_exception(why);
  } catch (const Unavailable& unavailable) {
    busy = unavailable.what();
  } catch (const ConstraintViolation& violation) {
    why = std::make_exception_ptr(ConstraintViolation{violation.constraint, std::string{violation.what()}});
  } catch (const Failure& failure) {
    why = std::make_exception_ptr(Failure{std::string{failure.what()}});
  } catch (const std::exception&) {
    busy = std::nullopt;  // for the caller to see as it is
  }
  if (busy) {
    job.refuse(*busy);
  } else {
    job.fail(std::move(why));
  }
}

/// Two closures that undid each other would do it again if they went on in step.
void pause_after_conflict(const Driver& driver, int attempt_number) {
  const auto most = limits::conflict_pause_min * (1 << std::min(attempt_number - 1, 8));
  driver.sleep_for(driver.draw_pause(std::min(most, limits::conflict_pause_max)));
}

/// The closure's own part. False: roll its changes back; why is in `job.thrown`, unless it returned an error.
/// Conflict and a transaction that is gone are for the caller.
bool attempt(Connection& connection, Job& job, Transaction& transaction) {
  job.thrown = nullptr;
  try {
    return job.attempt(transaction);
  } catch (const Conflict&) {
    throw;
  } catch (const std::exception&) {
    if (!connection.in_transaction()) throw;
    job.thrown = std::current_exception();
    return false;
  }
}

void require_transaction(const Connection& connection) {
  if (!connection.in_transaction()) throw Failure("the engine gave the transaction up (disk full?)");
}

/// The closure returned as if all was well, though a statement had failed: it cannot have what it believes to
/// have.
std::exception_ptr swallowed_failure() {
  return std::make_exception_ptr(
      std::logic_error("a closure returned success after a statement of it had failed"));
}

void run_hooks(Job& job) {
  for (auto& hook : job.after_commit) {
    try {
      hook();
    } catch (const std::exception& error) {
      log(LogLevel::error, "after_commit_failed", {{"error", error.what()}});
    }
  }
  job.after_commit.clear();
}

void answer(Job& job) {
  if (job.thrown) {
    job.fail(std::exchange(job.thrown, nullptr));
  } else {
    job.deliver();
  }
}

}  // namespace

Lane::Lane(Driver& driver, Access access, std::vector<std::unique_ptr<Connection>> connections,
           std::size_t queue_max)
    : driver_(driver),
      reconnector_(driver, access),
      access_(access),
      group_max_(std::max<std::size_t>(driver.shape(access).group_max, 1)),
      attempts_max_(driver.shape(access).attempts_max),
      queue_max_(queue_max) {
  std::vector<Worker> workers;
  for (auto& connection : connections) workers.push_back({std::move(connection), workers.size()});
  if (!driver.shape(access).threads) {
    by_hand_ = std::move(workers);
    return;
  }
  threads_.reserve(workers.size());
  for (auto& worker : workers) {
    threads_.emplace_back([this, own = std::move(worker)]() mutable { thread_main(std::move(own)); });
  }
}

Lane::~Lane() {
  {
    const Lock lock{mutex_};
    closing_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Lane::submit(std::unique_ptr<Job> job) {
  {
    const Lock lock{mutex_};
    if (!closing_ && queue_.size() < queue_max_) {
      queue_.push_back(std::move(job));
      // Under the lock: once it is released the job may be done, and whoever waited for it may close the
      // database.
      wake_.notify_one();
      return;
    }
  }
  job->refuse("the database queue is full");
}

std::size_t Lane::waiting() const {
  const Lock lock{mutex_};
  return queue_.size();
}

void Lane::finish_with(Finisher finisher) {
  const Lock lock{mutex_};  // a thread takes the lock before it takes a job
  finisher_ = std::move(finisher);
}

void Lane::look_with(std::function<void(Transaction&)> look, std::chrono::milliseconds interval) {
  const Lock lock{mutex_};  // as above
  look_ = std::move(look);
  look_interval_ = interval;
}

void Lane::look(Connection& connection) {
  const auto now = std::chrono::steady_clock::now();
  if (!look_ || now < next_look_.load()) return;
  Transaction transaction{connection};
  look_(transaction);
  next_look_ = now + look_interval_;
}

bool Lane::on_database_thread() { return is_database_thread; }

void Lane::thread_main(Worker worker) {
  is_database_thread = true;
  pthread_setname_np(pthread_self(), access_ == Access::write ? "kw-db-write" : "kw-db-read");
  for (Group group = take(); !group.empty(); group = take()) run_group(worker, group);
}

Lane::Group Lane::take() {
  const Lock lock{mutex_};
  wake_.wait(mutex_, [this]() KEYWARD_REQUIRES(mutex_) { return closing_ || !queue_.empty(); });
  return take_group();
}

Lane::Group Lane::take_group() {
  Group group;
  while (!queue_.empty() && group.size() < group_max_) {
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

bool Lane::run_waiting() {
  if (by_hand_.empty()) return false;
  Group group;
  {
    const Lock lock{mutex_};
    group = take_group();
  }
  if (group.empty()) return false;
  const bool before = std::exchange(is_database_thread, true);
  run_group(by_hand_.front(), group);
  is_database_thread = before;
  return true;
}

void Lane::run_group(Worker& worker, Group& group) {
  ++busy_;
  const Stopwatch together;
  if (group.size() > 1 && run_together(worker, group)) {
    groups_.observe(group.size());
    for (std::size_t i = 0; i < group.size(); ++i) durations_.observe(together.passed());
  } else {
    for (auto& job : group) {
      const Stopwatch alone;
      run_alone(worker, *job);
      groups_.observe(1);
      durations_.observe(alone.passed());
    }
  }
  --busy_;
}

LaneStatistics Lane::statistics() const {
  return {.connections = threads_.size() + by_hand_.size(),
          .busy = busy_.load(),
          .waiting = waiting(),
          .conflicts = conflicts_.value(),
          .reconnects = reconnector_.reconnects(),
          .durations = durations_.values(),
          .groups = groups_.values()};
}

void Lane::finish(const Worker& worker, const Notes& notes) {
  if (notes.empty()) return;
  if (!finisher_) throw std::logic_error("a closure left a note and the database has no finisher");
  Transaction end{*worker.connection};
  finisher_(end, notes, worker.number);
  if (end.failed_ || !end.notes_.empty()) throw std::logic_error("the finisher left its work undone");
  require_transaction(*worker.connection);
}

bool Lane::run_together(Worker& worker, Group& group) {
  auto& connection = worker.connection;
  std::exception_ptr failed;
  try {
    begin(connection);
  } catch (const std::exception&) {
    failed = std::current_exception();
  }
  if (failed) {
    for (auto& job : group) fail_with(*job, failed);
    return true;
  }
  Notes notes;
  try {
    for (auto& job : group) {
      const LogScope whose{&job->log_context};
      connection->savepoint();
      Transaction transaction{*connection};
      bool keep = attempt(*connection, *job, transaction);
      require_transaction(*connection);
      if (keep && transaction.failed_) {
        job->thrown = swallowed_failure();
        keep = false;
      }
      if (!keep) connection->rollback_to_savepoint();
      connection->release_savepoint();
      if (!keep) continue;
      job->after_commit = std::move(transaction.hooks_);
      std::ranges::move(transaction.notes_, std::back_inserter(notes));
    }
    finish(worker, notes);
  } catch (const std::exception& error) {
    // Whoever it was fails again when run alone; the others did nothing wrong.
    log(LogLevel::warning, "database_group_broken", {{"error", error.what()}});
    for (auto& job : group) job->after_commit.clear();
    connection->rollback();
    return false;
  }
  try {
    connection->commit();
  } catch (const Conflict&) {
    conflicts_.add(group.size());
    for (auto& job : group) job->after_commit.clear();
    connection->rollback();
    return false;
  } catch (const std::exception& error) {
    log(LogLevel::error, "database_commit_failed", {{"error", error.what()}});
    failed = std::current_exception();
  }
  if (failed) {
    for (auto& job : group) fail_with(*job, failed);
    connection.reset();
    return true;
  }
  for (auto& job : group) {
    const LogScope whose{&job->log_context};
    run_hooks(*job);
  }
  for (auto& job : group) answer(*job);
  return true;
}

void Lane::run_alone(Worker& worker, Job& job) {
  const LogScope whose{&job.log_context};
  auto& connection = worker.connection;
  std::exception_ptr failed;
  for (int attempt_number = 1; !failed; ++attempt_number) {
    bool committing = false;
    try {
      begin(connection);
      look(*connection);
      Transaction transaction{*connection};
      bool keep = attempt(*connection, job, transaction);
      require_transaction(*connection);
      if (keep && transaction.failed_) {
        job.thrown = swallowed_failure();
        keep = false;
      }
      if (keep) {
        finish(worker, transaction.notes_);
        committing = true;
        connection->commit();
        job.after_commit = std::move(transaction.hooks_);
      } else {
        connection->rollback();
      }
      break;
    } catch (const Conflict& conflict) {
      if (connection) connection->rollback();
      if (attempt_number == attempts_max_) return job.refuse(conflict.what());
      conflicts_.add();
      pause_after_conflict(driver_, attempt_number);
    } catch (const std::exception& error) {
      // Of the state after a failed commit nothing is certain, so the connection starts anew.
      if (committing) log(LogLevel::error, "database_commit_failed", {{"error", error.what()}});
      if (committing) connection.reset();
      if (connection) connection->rollback();
      failed = std::current_exception();
    }
  }
  if (failed) return fail_with(job, std::move(failed));
  run_hooks(job);
  answer(job);
}

void Lane::begin(std::unique_ptr<Connection>& connection) {
  if (connection && !connection->usable()) connection.reset();
  const bool fresh = !connection;
  if (fresh) connection = reconnector_.connect();
  try {
    connection->begin();
  } catch (const Failure&) {
    // A connection that broke while nobody used it tells only now. Nothing is done yet, so another may do it.
    if (fresh || connection->usable()) throw;
    connection.reset();
    connection = reconnector_.connect();
    connection->begin();
  }
}

}  // namespace keyward::storage
