// Lane: a bounded queue of closures and the threads that run them, each on its own connection, in groups that
// share a transaction. SQLite has one lane of one thread that writes in groups, and one of a few threads that
// read;
// PostgreSQL has a lane of a few threads for each.
//
// A group is one transaction with a savepoint for each closure and one commit, so that its cost is shared:
//   - a closure that returns an error or throws is rolled back alone; the others go on;
//   - when the engine drops the whole transaction beneath them, each closure is run again in a transaction of
//   its own;
//   - when the commit fails, every closure of the group fails: nothing is reported that may not last.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.hpp"
#include "base/mutex.hpp"
#include "storage/connection.hpp"
#include "storage/job.hpp"
#include "storage/reconnector.hpp"

namespace keyward::storage {

/// What a lane has done and does.
struct LaneStatistics {
  std::size_t connections = 0;
  std::size_t busy = 0;
  std::size_t waiting = 0;      // closures, for a thread
  std::uint64_t conflicts = 0;  // closures that were run once more
  std::uint64_t reconnects = 0;
  HistogramValues durations{.buckets = duration_buckets};  // of a closure, from its thread to its answer
  HistogramValues groups{.buckets = group_buckets};        // closures in one commit
};

class Lane {
 public:
  /// `connections`: one for each thread. `driver` makes new ones when they break; it outlives the lane.
  Lane(Driver& driver, Access access, std::vector<std::unique_ptr<Connection>> connections,
       std::size_t queue_max);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  /// Runs what waits, then joins. Without threads, what waits is dropped.
  ~Lane();

  /// Never blocks. A full queue refuses the job at once, on the calling thread.
  void submit(std::unique_ptr<Job> job);
  /// In a lane without threads (LaneShape): runs the next group on the calling thread. False: nothing waits.
  bool run_waiting();
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] LaneStatistics statistics() const;

  /// Before the first write that leaves notes.
  void finish_with(Finisher finisher);

  /// `look` runs at the head of a transaction, but not more often than once in `interval`: nobody wakes for
  /// it. If it throws, what comes after it in that transaction is not run. Before the first job.
  void look_with(std::function<void(Transaction&)> look, std::chrono::milliseconds interval);

  /// True on any database thread: waiting for the database there would wait for ever.
  static bool on_database_thread();

 private:
  using Group = std::vector<std::unique_ptr<Job>>;

  /// A thread's own.
  struct Worker {
    std::unique_ptr<Connection> connection;
    std::size_t number = 0;
  };

  void thread_main(Worker worker);
  Group take();
  Group take_group() KEYWARD_REQUIRES(mutex_);
  void run_group(Worker& worker, Group& group);
  void run_alone(Worker& worker, Job& job);
  /// False: the transaction is gone and nobody has been answered.
  bool run_together(Worker& worker, Group& group);
  void finish(const Worker& worker, const Notes& notes);
  void begin(std::unique_ptr<Connection>& connection);
  void look(Connection& connection);

  const Driver& driver_;
  Reconnector reconnector_;
  const Access access_;
  const std::size_t group_max_;
  const int attempts_max_;
  const std::size_t queue_max_;
  // Set before the first job, and whoever takes a job has taken the mutex since: read without it.
  Finisher finisher_;
  std::function<void(Transaction&)> look_;
  std::chrono::steady_clock::duration look_interval_{};
  std::atomic<std::chrono::steady_clock::time_point> next_look_{};
  std::atomic<std::size_t> busy_ = 0;
  Counter conflicts_;
  Histogram durations_;
  Histogram groups_{group_buckets};
  mutable Mutex mutex_;
  Condition wake_;
  std::deque<std::unique_ptr<Job>> queue_ KEYWARD_GUARDED_BY(mutex_);
  bool closing_ KEYWARD_GUARDED_BY(mutex_) = false;
  std::vector<Worker> by_hand_;  // instead of the threads
  std::vector<std::thread> threads_;
};

}  // namespace keyward::storage
