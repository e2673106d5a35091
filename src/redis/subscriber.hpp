// Subscriber: messages that other nodes publish, on a connection and a thread of its own (`kw-redis-sub`).
//
// Publish/subscribe keeps nothing: what was said while we were away is lost. So whoever listens is told of
// each new subscription, and takes for granted then that anything may have been said. An idle connection is
// asked twice a second whether it is still there.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "redis/connection.hpp"

namespace keyward::redis {

struct SubscriberOptions {
  Address address;
  std::string ca_file;
  std::string name = "keyward-sub";
  std::vector<std::string> channels;
  /// Both on the subscriber's thread; they do not throw and do not block.
  std::function<void()> on_subscribed;
  std::function<void(std::string_view channel, std::string_view message)> on_message;
};

class Subscriber {
 public:
  explicit Subscriber(SubscriberOptions options) : options_(std::move(options)) {}
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber() { stop(); }

  void start();
  void stop();
  [[nodiscard]] bool is_subscribed() const { return subscribed_; }

 private:
  void thread_main();
  void subscribe();
  void listen();
  [[nodiscard]] bool rest(std::chrono::milliseconds time);

  SubscriberOptions options_;
  std::unique_ptr<Connection> connection_;  // of the thread alone
  std::atomic<bool> subscribed_ = false;
  Mutex mutex_;
  Condition wake_;
  Connection* listening_ KEYWARD_GUARDED_BY(mutex_) = nullptr;  // for stop() to interrupt
  bool closing_ KEYWARD_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace keyward::redis
