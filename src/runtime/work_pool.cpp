#include "runtime/work_pool.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace keyward {

WorkPool::WorkPool(WorkPoolOptions options) : options_(std::move(options)) {
  threads_.reserve(options_.threads);
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { thread_main(); });
}

WorkPool::~WorkPool() {
  std::deque<std::function<void()>> dropped;  // destroyed outside the lock
  {
    const Lock lock{mutex_};
    closing_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
}

bool WorkPool::submit(std::function<void()> job) {
  {
    const Lock lock{mutex_};
    if (closing_ || queue_.size() >= options_.queue_max) return false;
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

std::size_t WorkPool::waiting() const {
  const Lock lock{mutex_};
  return queue_.size();
}

void WorkPool::thread_main() {
  pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
  // On Linux niceness belongs to a thread; refusal (a container without the right) costs fairness, not
  // function.
  if (options_.nice != 0) (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), options_.nice);
  while (true) {
    std::function<void()> job;
    {
      Lock lock{mutex_};
      wake_.wait(mutex_, [this]() KEYWARD_REQUIRES(mutex_) { return closing_ || !queue_.empty(); });
      if (closing_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

}  // namespace keyward
