#include "web/probe.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <string>

#include "runtime/task.hpp"
#include "web/tls/tls_probe.hpp"

namespace keyward::web {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

namespace {

Task<unsigned> probe(std::string host, std::string port, std::string path) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver{executor};
  const auto addresses = co_await resolver.async_resolve(host, port, use_task);
  beast::basic_stream<tcp, LoopExecutor> stream{executor};
  stream.expires_after(std::chrono::seconds{5});
  co_await stream.async_connect(addresses, use_task);
  http::request<http::empty_body> request{http::verb::get, path, 11};
  request.set(http::field::host, host);
  request.set(http::field::connection, "close");
  co_await http::async_write(stream, request, use_task);
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  co_await http::async_read(stream, buffer, response, use_task);
  co_return response.result_int();
}

}  // namespace

Result<unsigned> blocking_probe(std::string_view url, std::string_view path) {
  constexpr std::string_view clear_scheme = "http://";
  constexpr std::string_view tls_scheme = "https://";
  const auto refused = [&] {
    return fail(ErrorCode::invalid_input, "the URL must be http://HOST[:PORT] or https://HOST[:PORT]");
  };
  const bool tls = url.starts_with(tls_scheme);
  if (!tls && !url.starts_with(clear_scheme)) return refused();
  auto host = url.substr(tls ? tls_scheme.size() : clear_scheme.size());
  std::string_view port = tls ? "443" : "80";
  if (const auto colon = host.rfind(':');
      colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || port.empty() || host.find_first_of("/?#@") != std::string_view::npos) return refused();

  if (tls) return blocking_tls_probe(std::string{host}, std::string{port}, std::string{path});
  asio::io_context loop{1};
  Result<unsigned> result = fail(ErrorCode::unavailable, "nothing answers");
  asio::co_spawn(loop, probe(std::string{host}, std::string{port}, std::string{path}),
                 [&result](const std::exception_ptr& thrown, unsigned status) {
                   if (!thrown) {
                     result = status;
                     return;
                   }
                   try {
                     std::rethrow_exception(thrown);
                   } catch (const std::exception& exception) {
                     result = fail(ErrorCode::unavailable, exception.what());
                   }
                 });
  loop.run();
  return result;
}

}  // namespace keyward::web
