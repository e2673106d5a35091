#include "redis/client.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "redis/errors.hpp"
#include "redis/retry.hpp"

namespace keyward::redis {

Client::Client(ClientOptions options) : options_(std::move(options)) {}

Result<void> Client::blocking_start() {
  try {
    connect();
    go_up();
  } catch (const Refusal& refusal) {
    return fail(ErrorCode::internal, "Redis at " + to_text(options_.address) + ' ' + refusal.what());
  } catch (const std::exception& failure) {
    go_down(failure.what());
  }
  thread_ = std::thread{[this] { thread_main(); }};
  return {};
}

void Client::stop() {
  {
    const Lock lock{mutex_};
    closing_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  std::deque<Pending> waiting;
  {
    const Lock lock{mutex_};
    waiting.swap(queue_);
  }
  for (auto& pending : waiting) refuse(pending);
}

Task<Result<Reply>> Client::run(std::size_t script, Words key_and_arguments) {
  return await_completion<Result<Reply>>(
      [this, call = Call{script, std::move(key_and_arguments)}](Completion<Result<Reply>> done) mutable {
        submit({std::move(call), std::move(done), answer_deadline()});
      });
}

Client::Statistics Client::statistics() const { return {.up = up_, .calls = calls_, .failures = failures_}; }

void Client::submit(Pending pending) {
  {
    const Lock lock{mutex_};
    if (!closing_ && up_ && queue_.size() < limits::redis_queue_max) {
      queue_.push_back(std::move(pending));
      wake_.notify_one();
      return;
    }
  }
  refuse(pending);
}

void Client::refuse(Pending& pending) {
  ++failures_;
  if (!pending.done) return;
  (*pending.done)(Outcome<Result<Reply>>{
      std::in_place, fail(ErrorCode::unavailable, "The server is busy", "Redis is away")});
}

void Client::thread_main() {
  pthread_setname_np(pthread_self(), "kw-redis");
  while (true) {
    {
      const Lock lock{mutex_};
      if (closing_) return;
    }
    try {
      if (session_) {
        serve();
      } else {
        connect_again();
      }
    } catch (const std::exception& failure) {
      go_down(failure.what());
    }
  }
}

void Client::connect() {
  auto session =
      std::make_unique<Session>(options_.address, options_.ca_file, options_.name, options_.scripts);
  options_.on_connected(*session);
  session_ = std::move(session);
}

void Client::connect_again() {
  {
    Lock lock{mutex_};
    if (wake_.wait_for(mutex_, spread(delay_), [this]() KEYWARD_REQUIRES(mutex_) { return closing_; }))
      return;
  }
  connect();
  go_up();
}

void Client::go_up() {
  delay_ = {};
  up_ = true;
  told_ = false;
  options_.on_change(true, session_->version());
}

void Client::go_down(const std::string& reason) {
  session_.reset();
  delay_ = next_delay(delay_);
  std::deque<Pending> waiting;
  {
    const Lock lock{mutex_};
    up_ = false;
    waiting.swap(queue_);
  }
  // First what has to be known before anybody goes on without Redis.
  if (!std::exchange(told_, true)) options_.on_change(false, reason);
  for (auto& pending : waiting) refuse(pending);
}

Client::Batch Client::take() {
  Lock lock{mutex_};
  wake_.wait_for(mutex_, limits::redis_idle_check,
                 [this]() KEYWARD_REQUIRES(mutex_) { return closing_ || !queue_.empty(); });
  Batch batch;
  while (!queue_.empty() && batch.size() < limits::redis_batch_max) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

void Client::serve() {
  auto batch = take();
  if (batch.empty()) {
    session_->ping();
  } else {
    run_batch(std::move(batch));
  }
}

void Client::run_batch(Batch batch) {
  std::vector<Call> calls;
  calls.reserve(batch.size());
  for (auto& pending : batch) calls.push_back(std::move(pending.call));
  std::string failed;
  std::vector<Reply> replies;
  const auto deadline = batch.front().deadline;  // who has waited longest
  try {
    if (std::chrono::steady_clock::now() >= deadline) throw Failure("does not answer in time");
    replies = session_->run(calls, deadline);
  } catch (const Failure& failure) {
    failed = failure.what();
  }
  for (const auto& reply : replies) {
    if (reply.is_error()) failed = "answers: " + reply.text;
  }
  // Down before the callers go on, so that none of them sees a Redis that is up and refused it.
  if (!failed.empty()) go_down(failed);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (i >= replies.size() || replies[i].is_error()) {
      refuse(batch[i]);
      continue;
    }
    ++calls_;
    if (batch[i].done) (*batch[i].done)(Outcome<Result<Reply>>{std::in_place, std::move(replies[i])});
  }
}

}  // namespace keyward::redis
