// within(): a look at another machine that does not keep `keyward doctor` waiting, whatever it waits for:
// looking a name up has no time limit of its own.
#pragma once

#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace keyward::app {

/// What `look` returns or throws; nothing when that takes longer than `limit`. Its thread is left behind
/// then, so it owns all that it uses.
template <class F>
std::optional<std::invoke_result_t<F&>> within(std::chrono::seconds limit, F look) {
  std::packaged_task<std::invoke_result_t<F&>()> task{std::move(look)};
  auto found = task.get_future();
  std::thread{std::move(task)}.detach();
  if (found.wait_for(limit) != std::future_status::ready) return std::nullopt;
  return found.get();
}

}  // namespace keyward::app
