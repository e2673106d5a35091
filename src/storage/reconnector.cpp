#include "storage/reconnector.hpp"

#include <algorithm>
#include <random>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "storage/errors.hpp"

namespace keyward::storage {

std::unique_ptr<Connection> Reconnector::connect() {
  Lock lock{mutex_};
  // Most often the other thread is through in a moment, and so will this one be.
  tried_.wait_for(mutex_, limits::reconnect_wait, [this]() KEYWARD_REQUIRES(mutex_) { return !trying_; });
  if (trying_ || std::chrono::steady_clock::now() < not_before_)
    throw Unavailable("the database is away: " + last_failure_);
  trying_ = true;
  lock.unlock();
  try {
    auto connection = driver_.connect(access_);
    reconnects_.add();
    lock.lock();
    if (!last_failure_.empty()) log(LogLevel::info, "database_reconnected");
    last_failure_.clear();
    delay_ = {};
    trying_ = false;
    tried_.notify_all();
    return connection;
  } catch (const std::exception& error) {
    note_failure(error.what());
    throw;
  }
}

void Reconnector::note_failure(const std::string& why) {
  log(LogLevel::error, "database_connect_failed", {{"error", why}});
  const Lock lock{mutex_};
  delay_ = std::clamp(delay_ * 2, limits::reconnect_delay_min, limits::reconnect_delay_max);
  not_before_ = std::chrono::steady_clock::now() + delay_ / 2 + random_pause(delay_ / 2);
  last_failure_ = why;
  trying_ = false;
  tried_.notify_all();
}

std::chrono::microseconds random_pause(std::chrono::microseconds most) {
  // Spreads threads and servers out; nothing secret depends on it.
  std::random_device random;
  return std::chrono::microseconds{std::uniform_int_distribution<std::int64_t>{0, most.count()}(random)};
}

}  // namespace keyward::storage
