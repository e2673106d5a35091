// Runs coroutines of a test to their end, and a resolver that says what a test wants.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "outbound/resolver.hpp"
#include "runtime/task.hpp"
#include "text/ip_address.hpp"

namespace keyward::outbound::testing {

namespace detail {
template <class T>
Task<void> keep(std::optional<T>* into, Task<T> task) {
  into->emplace(co_await std::move(task));
}
}  // namespace detail

/// All at a time, on one loop. A test that hangs is ended by its time limit.
template <class T>
std::vector<T> run_all(std::vector<Task<T>> tasks) {
  asio::io_context loop{1};
  std::vector<std::optional<T>> results(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i)
    spawn(loop.get_executor(), detail::keep(&results[i], std::move(tasks[i])), "test");
  loop.run();
  std::vector<T> all;
  for (auto& result : results) all.push_back(std::move(result).value());
  return all;
}

template <class T>
T run(Task<T> task) {
  std::vector<Task<T>> one;
  one.push_back(std::move(task));
  return std::move(run_all(std::move(one)).front());
}

/// `answer(host, n)` for the n-th look-up, from 0.
class FakeResolver final : public Resolver {
 public:
  using Says = std::function<std::vector<std::string>(const std::string& host, int n)>;
  explicit FakeResolver(Says says) : says_(std::move(says)) {}

  Resolved blocking_resolve(const std::string& host) override {
    const auto texts = says_(host, looks++);
    if (texts.empty()) return std::unexpected("no such name");
    std::vector<text::IpAddress> addresses;
    for (const auto& text : texts) addresses.push_back(text::IpAddress::parse(text).value());
    return addresses;
  }

  std::atomic<int> looks = 0;

 private:
  Says says_;
};

}  // namespace keyward::outbound::testing
