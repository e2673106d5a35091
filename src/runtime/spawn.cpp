#include <boost/asio/co_spawn.hpp>

#include "base/log.hpp"
#include "runtime/task.hpp"

namespace keyward {

void spawn(const LoopExecutor& executor, Task<void> task, std::string name) {
  const LogScope nobody{nullptr};  // it may outlive the request that it is started by
  asio::co_spawn(executor, std::move(task), [name = std::move(name)](std::exception_ptr thrown) {
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& exception) {
      log(LogLevel::error, "task_failed", {{"task", name}, {"reason", exception.what()}});
    }
  });
}

}  // namespace keyward
