// Task: our coroutine; and the one way to start one that nobody waits for.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <string>

namespace keyward {

namespace asio = boost::asio;

/// Every coroutine runs on a loop: an io_context run by one thread. The executor's type is spelled out, which
/// spares the type erasure of any_io_executor at each suspension.
using LoopExecutor = asio::io_context::executor_type;

template <class T>
using Task = asio::awaitable<T, LoopExecutor>;

inline constexpr asio::use_awaitable_t<LoopExecutor> use_task;

/// Starts `task` on `executor` and waits for nothing. An exception that leaves it is logged under `name`: it
/// is never swallowed (`detached` swallows) and never ends the process.
void spawn(const LoopExecutor& executor, Task<void> task, std::string name);

}  // namespace keyward
