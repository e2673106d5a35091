// The yardstick for what HTTP costs: Boost.Beast's own parser and serializer on coroutines, one loop with a
// socket of its own per core (SO_REUSEPORT), and nothing else: no routes, no headers but two, no limits, no
// log.
//
// usage: bare_beast PORT
// GET /N answers N bytes. A program of its own, so that nothing of the server's stands around it.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

asio::awaitable<void> serve(tcp::socket socket) {
  boost::beast::flat_buffer buffer;
  try {
    socket.set_option(tcp::no_delay{true});
    while (true) {
      http::request<http::string_body> request;
      co_await http::async_read(socket, buffer, request, asio::use_awaitable);
      std::size_t bytes = 0;
      const auto target = request.target();
      std::from_chars(target.data() + 1, target.data() + target.size(), bytes);
      http::response<http::string_body> response{http::status::ok, request.version()};
      response.set(http::field::content_type, "application/json");
      response.body().assign(bytes, 'x');
      response.keep_alive(request.keep_alive());
      response.prepare_payload();
      co_await http::async_write(socket, response, asio::use_awaitable);
      if (response.need_eof()) co_return;
    }
  } catch (const boost::system::system_error&) {
    co_return;  // the peer went
  }
}

asio::awaitable<void> listen(tcp::endpoint endpoint) {
  tcp::acceptor acceptor{co_await asio::this_coro::executor};
  acceptor.open(endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address{true});
  acceptor.set_option(reuse_port{true});
  acceptor.bind(endpoint);
  acceptor.listen();
  while (true) {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    const auto executor = socket.get_executor();
    asio::co_spawn(executor, serve(std::move(socket)), asio::detached);
  }
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto port = static_cast<unsigned short>(std::strtoul(argv[1], nullptr, 10));
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
    threads.emplace_back([port] {
      asio::io_context loop{1};
      asio::co_spawn(loop, listen({asio::ip::address_v4::loopback(), port}),
                     [](const std::exception_ptr& broke) {
                       if (broke) std::rethrow_exception(broke);
                     });
      loop.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
}
