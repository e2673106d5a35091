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
  bool has_worked = false;
  while (const auto job = wait_for_job(has_worked)) {
    job();
    has_worked = true;
  }
}

std::function<void()> WorkPool::wait_for_job(bool& has_worked) {
  Lock lock{mutex_};
  const auto is_due = [this]() KEYWARD_REQUIRES(mutex_) { return closing_ || !queue_.empty(); };
  if (has_worked && options_.on_idle && !wake_.wait_for(mutex_, options_.idle_after, is_due)) {
    lock.unlock();
    options_.on_idle();
    has_worked = false;
    lock.lock();
  }
  wake_.wait(mutex_, is_due);
  if (closing_) return {};
  auto job = std::move(queue_.front());
  queue_.pop_front();
  return job;
}

}  // namespace keyward
