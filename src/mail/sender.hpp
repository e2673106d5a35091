// Sender: takes mails out of the outbox, one at a time on each of its threads, and sends them.
//
// Sending blocks, so it has threads of its own: a mail server that is slow, silent or gone holds up neither a
// loop nor the database. They sleep until a mail is due or the doorbell rings, and look for what other
// processes left every poll_interval; then they read once and write nothing. A mail is taken for the time of
// a lease, which an attempt that lasts renews and without which it ends (lease.hpp; races: domain/outbox).
// What cannot be sent is tried again, later and later, until it expires; what the server refuses for good is
// kept, for `keyward mail retry`; what it took whole and never answered is tried again rarely. A process that
// dies between the server's "250" and the row's "sent" sends the mail again with the same Message-ID, by
// which mail programs know it for one.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/random.hpp"
#include "mail/composing.hpp"
#include "mail/lease.hpp"
#include "mail/outbox.hpp"
#include "mail/transport.hpp"
#include "storage/database.hpp"

namespace keyward::mail {

class Sender {
 public:
  struct Dependencies {
    storage::Database& database;
    Outbox& outbox;
    const Templates& templates;
    Transport& transport;
    const Clock& clock;
    Random& random;
    std::function<Lease::SteadyTime()> steady_now = &std::chrono::steady_clock::now;
    std::function<void(microseconds)> sleep_for = [](microseconds pause) {
      std::this_thread::sleep_for(pause);
    };
  };
  Sender(Dependencies dependencies, SenderSettings settings);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender() { stop(); }

  void start();
  /// Takes nothing more; what is under way gets limits::mail_stop_grace, then it is cut and due again.
  void stop();

  /// For the command line and tests. False when there was nothing to take.
  bool blocking_send_next();
  bool blocking_send(const Uuid& id);

  struct Statistics {
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;     // refused for good, or expired
    std::uint64_t postponed = 0;  // attempts
  };
  [[nodiscard]] Statistics statistics() const { return {sent_, failed_, postponed_}; }

 private:
  class UnderWay;
  void thread_main();
  microseconds blocking_work();
  [[nodiscard]] Lease make_lease(Time now) const;
  [[nodiscard]] domain::MailLease to_row(const Lease& lease, Time now) const;
  void blocking_attempt(const domain::ClaimedMail& mail, Lease& lease);
  bool may_go_on(const domain::ClaimedMail& mail, Lease& lease);
  Delivery blocking_deliver(const domain::ClaimedMail& mail, Lease& lease);
  void finish(const domain::ClaimedMail& mail, const Uuid& lease, std::string_view state,
              const std::string& reason);
  void postpone(const domain::ClaimedMail& mail, const Uuid& lease, microseconds delay,
                const std::string& reason);

  Dependencies use_;
  SenderSettings settings_;
  std::atomic<std::uint64_t> sent_ = 0, failed_ = 0, postponed_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> cut_ = false;
  Mutex mutex_;
  Condition nothing_under_way_;
  std::size_t under_way_ KEYWARD_GUARDED_BY(mutex_) = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace keyward::mail
