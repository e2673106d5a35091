// Client: Redis for coroutines. One thread (`kw-redis`) takes all calls that wait, writes them in one go, and
// resumes each caller on its own loop.
//
// Threat: a Redis that is away, stopped or slow, and holds every login up. Answer: an answer has 250 ms, the
// time that its call has waited for others among them; then, and until a new connection has greeted, every
// call is refused at once (ErrorCode::unavailable), and the thread tries again on its own, after 50 ms and up
// to a second. An idle connection is asked twice a second. Threat: a Redis that answers but cannot write (a
// replica, out of memory, a full disk). Answer: a script's error is a failure like any other.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "redis/session.hpp"
#include "runtime/completion.hpp"
#include "runtime/task.hpp"

namespace keyward::redis {

struct ClientOptions {
  Address address;
  std::string ca_file;
  std::string name = "keyward";
  std::vector<std::string_view> scripts;
  /// On each new connection, before anybody's call. What it throws makes the connection a failed one.
  std::function<void(Session&)> on_connected = [](Session&) {};
  /// It is there now, or it is not (and why): once for each change, and once at the start.
  std::function<void(bool is_up, const std::string& reason)> on_change = [](bool, const std::string&) {};
};

class Client {
 public:
  struct Statistics {
    bool up = false;
    std::uint64_t calls = 0;     // that were answered
    std::uint64_t failures = 0;  // that were not, or with an error
  };

  explicit Client(ClientOptions options);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { stop(); }

  /// Connects and starts the thread. A Redis that is away is no error: the thread goes on trying. Error: one
  /// that is there and will not serve us; a sentence for the operator.
  Result<void> blocking_start();
  /// Refuses what waits, joins. Before the loops that callers resume on go.
  void stop();

  /// A script's answer. Error unavailable: Redis is away, or answered with an error.
  Task<Result<Reply>> run(std::size_t script, Words key_and_arguments);
  /// For whoever waits for nothing: in the order of all calls, and lost when Redis is away.
  void cast(Call call) {
    submit({.call = std::move(call), .done = std::nullopt, .deadline = answer_deadline()});
  }

  [[nodiscard]] bool is_up() const { return up_; }
  [[nodiscard]] Statistics statistics() const;

 private:
  struct Pending {
    Call call;
    std::optional<Completion<Result<Reply>>> done;
    Deadline deadline;
  };
  using Batch = std::vector<Pending>;

  void thread_main();
  void connect();
  void connect_again();
  /// One batch, or a ping when there is none.
  void serve();
  Batch take();
  void run_batch(Batch batch);
  void go_up();
  void go_down(const std::string& reason);
  void submit(Pending pending);
  void refuse(Pending& pending);

  ClientOptions options_;
  std::unique_ptr<Session> session_;  // of the thread alone
  std::chrono::milliseconds delay_{0};
  bool told_ = false;  // of the present outage
  std::atomic<bool> up_ = false;
  std::atomic<std::uint64_t> calls_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;

  Mutex mutex_;
  Condition wake_;
  std::deque<Pending> queue_ KEYWARD_GUARDED_BY(mutex_);
  bool closing_ KEYWARD_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace keyward::redis
