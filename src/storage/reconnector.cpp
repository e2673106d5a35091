#include "storage/reconnector.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "storage/errors.hpp"

namespace keyward::storage {

std::unique_ptr<Connection> Reconnector::connect() {
  Lock lock{mutex_};
  // Most often the other thread is through in a moment, and so will this one be.
  tried_.wait_for(mutex_, limits::reconnect_wait, [this]() KEYWARD_REQUIRES(mutex_) { return !trying_; });
  if (trying_ || driver_.steady_now() < not_before_)
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
  not_before_ = driver_.steady_now() + delay_ / 2 + driver_.draw_pause(delay_ / 2);
  last_failure_ = why;
  trying_ = false;
  tried_.notify_all();
}

}  // namespace keyward::storage
