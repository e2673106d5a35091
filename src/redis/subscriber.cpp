#include "redis/subscriber.hpp"

#include <pthread.h>

#include <array>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "redis/errors.hpp"
#include "redis/retry.hpp"

namespace keyward::redis {

void Subscriber::start() {
  thread_ = std::thread{[this] { thread_main(); }};
}

void Subscriber::stop() {
  {
    const Lock lock{mutex_};
    closing_ = true;
    if (listening_ != nullptr) listening_->interrupt();
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Subscriber::thread_main() {
  pthread_setname_np(pthread_self(), "kw-redis-sub");
  std::chrono::milliseconds delay{0};
  while (rest(spread(delay))) {
    try {
      subscribe();
      delay = {};
      listen();
    } catch (const std::exception& failure) {
      // That Redis is away is the client's to tell.
      log(LogLevel::debug, "redis_subscription_lost", {{"reason", failure.what()}});
    }
    subscribed_ = false;
    {
      const Lock lock{mutex_};
      listening_ = nullptr;
    }
    connection_.reset();
    delay = next_delay(delay);
  }
}

/// False: it is time to stop.
bool Subscriber::rest(std::chrono::milliseconds time) {
  Lock lock{mutex_};
  return !wake_.wait_for(mutex_, time, [this]() KEYWARD_REQUIRES(mutex_) { return closing_; });
}

void Subscriber::subscribe() {
  auto connection = std::make_unique<Connection>(options_.address, options_.ca_file, options_.name);
  Words words{"SUBSCRIBE"};
  words.insert(words.end(), options_.channels.begin(), options_.channels.end());
  const auto deadline = answer_deadline();
  connection->send(std::array{words}, deadline);
  for (std::size_t i = 0; i < options_.channels.size(); ++i) {
    const auto reply = connection->receive(deadline);
    if (reply.is_error()) throw Failure("refuses to be listened to: " + reply.text);
  }
  const Lock lock{mutex_};
  if (closing_) throw Failure("closing");
  connection_ = std::move(connection);
  listening_ = connection_.get();
}

void Subscriber::listen() {
  subscribed_ = true;
  options_.on_subscribed();
  bool asked = false;
  while (true) {
    const auto reply =
        connection_->receive_or_nothing(std::chrono::steady_clock::now() + limits::redis_idle_check);
    if (!reply) {
      if (asked) throw Failure("does not answer in time");
      connection_->send(std::array{Words{"PING"}}, answer_deadline());
      asked = true;
      continue;
    }
    asked = false;
    const auto& items = reply->items;
    if (items.size() == 3 && items[0].text == "message") options_.on_message(items[1].text, items[2].text);
  }
}

}  // namespace keyward::redis
