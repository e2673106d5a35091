#include "storage/connection.hpp"

#include <random>
#include <thread>

namespace keyward::storage {

std::chrono::steady_clock::time_point Driver::steady_now() const { return std::chrono::steady_clock::now(); }

std::chrono::microseconds Driver::draw_pause(std::chrono::microseconds most) const {
  std::random_device random;  // nothing secret depends on it
  return std::chrono::microseconds{std::uniform_int_distribution<std::int64_t>{0, most.count()}(random)};
}

void Driver::sleep_for(std::chrono::microseconds pause) const { std::this_thread::sleep_for(pause); }

}  // namespace keyward::storage
