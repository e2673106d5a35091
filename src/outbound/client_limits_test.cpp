// Answers that are too much, too slow or no answers; and ends.
#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <thread>

#include "outbound/client.hpp"
#include "outbound/testing/fake_server.hpp"
#include "outbound/testing/running.hpp"

namespace keyward::outbound {
namespace {

using namespace testing;
using std::chrono::milliseconds;

const auto clear_text = std::make_shared<const Trust>(Trust{.clear_text_loopback = true});
constexpr std::string_view json_type = "Content-Type: application/json\r\n";

std::string result_of(const Fetched<Answer>& answer) {
  return std::string{answer ? "ok" : to_word(answer.error().refusal)};
}

struct Told {
  std::string result;
  std::string body;
  std::size_t connections = 0;  // kept
};

/// What comes of an answer, given byte by byte.
Told ask(const FakeServer::Script& answer, ClientOptions options = {}) {
  const FakeServer server{[&](FakePeer& peer) {
    if (peer.read_request()) answer(peer);
  }};
  Client client{std::move(options)};
  const auto got = run(client.send({.url = server.url("127.0.0.1"), .trust = clear_text}));
  return {result_of(got), got ? got->body : got.error().detail, client.meters().open_connections};
}

std::string result_of_answer(std::string answer) {
  return ask([&](FakePeer& peer) {
           peer.write(answer);
           peer.end();
           peer.wait_for_end();
         })
      .result;
}

std::string head(std::string_view fields, std::string_view status = "200 OK") {
  return fmt::format("HTTP/1.1 {}\r\n{}\r\n", status, fields);
}

std::string chunk(std::size_t size) { return fmt::format("{:x}\r\n{}\r\n", size, std::string(size, ' ')); }

TEST(OutboundLimits, bodies_come_by_length_in_chunks_or_to_the_end) {
  const auto body_of = [](const std::string& answer) {
    return ask([&](FakePeer& peer) {
             peer.write(answer);
             peer.end();
             peer.wait_for_end();
           })
        .body;
  };
  const std::string type{json_type};
  EXPECT_EQ(body_of(head(type + "Content-Length: 2\r\n") + "{}"), "{}");
  EXPECT_EQ(body_of(head(type + "Transfer-Encoding: chunked\r\n") +
                    "1\r\n{\r\n1;x=y\r\n}\r\n0\r\nTrailer: x\r\n\r\n"),
            "{}");
  EXPECT_EQ(body_of(head(type + "Connection: close\r\n") + "{}"), "{}");
  EXPECT_EQ(body_of("HTTP/1.0 200 OK\r\n" + type + "\r\n{}"), "{}");
  EXPECT_EQ(body_of(head("Content-Length: 0\r\n")), "");
  EXPECT_EQ(body_of(head("", "204 No Content")), "");
  EXPECT_EQ(body_of(head("", "100 Continue") + head("Link: x\r\n", "103 Early Hints") +
                    head(type + "Content-Length: 2\r\n") + "{}"),
            "{}");
}

TEST(OutboundLimits, an_answer_that_comes_byte_by_byte_is_the_same) {
  const auto told = ask([](FakePeer& peer) {
    for (const char c :
         head(std::string{json_type} + "Transfer-Encoding: chunked\r\n") + "2\r\n{}\r\n0\r\n\r\n")
      peer.write({&c, 1});
    peer.wait_for_end();
  });
  EXPECT_EQ(told.result, "ok") << told.body;
  EXPECT_EQ(told.body, "{}");
  EXPECT_EQ(told.connections, 1U);
}

TEST(OutboundLimits, F7_a_body_over_the_limit_is_refused_by_its_length_alone) {
  const std::string type{json_type};
  constexpr auto max = limits::outbound_answer_max_bytes;
  // The body never comes: whoever waited for it would be timed out.
  const auto told = ask([&](FakePeer& peer) {
    peer.write(head(type + fmt::format("Content-Length: {}\r\n", max + 1)));
    peer.wait_for_end();
  });
  EXPECT_EQ(told.result, "too_large") << told.body;
  EXPECT_EQ(told.connections, 0U);
  EXPECT_EQ(result_of_answer(head(type + fmt::format("Content-Length: {}\r\n", max)) + std::string(max, ' ')),
            "ok");
}

TEST(OutboundLimits, F7_chunks_and_bodies_without_an_end_are_cut_at_the_limit) {
  const std::string type{json_type};
  constexpr auto max = limits::outbound_answer_max_bytes;
  const auto chunked = head(type + "Transfer-Encoding: chunked\r\n");
  std::string most = chunked;
  for (std::size_t i = 0; i < max / 1024; ++i) most += chunk(1024);
  EXPECT_EQ(result_of_answer(most + "0\r\n\r\n"), "ok");
  EXPECT_EQ(result_of_answer(most + chunk(1) + "0\r\n\r\n"), "too_large");
  EXPECT_EQ(result_of_answer(chunked + fmt::format("{:x}\r\n", max + 1)), "too_large");
  EXPECT_EQ(result_of_answer(chunked + "1;" + std::string(1024 * 1024, 'x')), "too_large");
  EXPECT_EQ(result_of_answer(head(type) + std::string(max + 1, ' ')), "too_large");
  const std::string trailers = chunked + "0\r\n" + std::string(5 * max, 'X');
  EXPECT_EQ(result_of_answer(trailers), "too_large");
  std::string extensions = chunked;
  while (extensions.size() < 5 * max) extensions += "1;" + std::string(8000, 'x') + "\r\n \r\n";
  EXPECT_EQ(result_of_answer(extensions + "0\r\n\r\n"), "too_large") << "however little of it is body";
  // One that never ends: the server writes until nobody takes it any more.
  std::promise<void> over;
  EXPECT_EQ(ask([&](FakePeer& peer) {
              peer.write(chunked);
              while (peer.write(chunk(4096))) {
              }
              over.set_value();
            }).result,
            "too_large");
  over.get_future().wait();
}

TEST(OutboundLimits, F7_a_head_over_the_limit_is_refused) {
  EXPECT_EQ(result_of_answer(head("X: " + std::string(limits::outbound_head_max_bytes, 'x') + "\r\n")),
            "too_large");
  std::string many;
  while (many.size() < limits::outbound_head_max_bytes) many += "X: y\r\n";
  EXPECT_EQ(result_of_answer(head(many)), "too_large");
  // Beast's parser counts none of the fields that it has taken.
  EXPECT_EQ(ask([&](FakePeer& peer) {
              peer.write("HTTP/1.1 200 OK\r\n");
              while (peer.write(many)) {
              }
            }).result,
            "too_large");
  EXPECT_EQ(result_of_answer(std::string(1024 * 1024, 'x')), "malformed");
  std::string interim;
  for (int i = 0; i < 100; ++i) interim += head("", "103 Early Hints");
  EXPECT_EQ(result_of_answer(interim), "malformed");
}

TEST(OutboundLimits, F7_another_type_or_a_compressed_body_is_not_taken) {
  const std::string body = "Content-Length: 2\r\n";
  EXPECT_EQ(result_of_answer(head("Content-Type: text/html\r\n" + body) + "{}"), "wrong_content_type");
  EXPECT_EQ(result_of_answer(head("Content-Type: text/html\r\n" + body, "404 Not Found") + "{}"),
            "wrong_content_type");
  EXPECT_EQ(result_of_answer(head(body) + "{}"), "wrong_content_type");
  EXPECT_EQ(result_of_answer(head("Content-Type: application/jwk-set+json\r\n" + body) + "{}"), "ok");
  EXPECT_EQ(result_of_answer(head(std::string{json_type} + "Content-Encoding: gzip\r\n" + body) + "{}"),
            "wrong_content_type");
  EXPECT_EQ(
      result_of_answer(head(std::string{json_type} + "Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n"),
      "malformed");
  const auto told = ask([&](FakePeer& peer) {
    peer.write(head("Content-Type: text/html\r\n" + body, "503 Service Unavailable") + "{}");
    peer.wait_for_end();
  });
  EXPECT_EQ(told.result, "ok") << "of a server that is away, the status says enough …";
  EXPECT_EQ(told.body, "") << "… and its page is not handed on";
  EXPECT_EQ(told.connections, 0U);
}

TEST(OutboundLimits, what_is_no_answer_is_told) {
  const std::string type{json_type};
  EXPECT_EQ(result_of_answer("SSH-2.0-OpenSSH_9.2\r\n"), "malformed");
  EXPECT_EQ(result_of_answer("HTTP/2.0 200 OK\r\n\r\n"), "malformed");
  EXPECT_EQ(result_of_answer(head(type + "Content-Length: 5\r\n") + "{}"), "malformed");
  EXPECT_EQ(result_of_answer(head(type + "Content-Length: x\r\n") + "{}"), "malformed");
  EXPECT_EQ(result_of_answer(head(type + "Content-Length: 2\r\nContent-Length: 3\r\n") + "{}"), "malformed");
  EXPECT_EQ(result_of_answer(head(type + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n") + "{}"),
            "malformed");
  EXPECT_EQ(result_of_answer(head(type + type + "Content-Length: 2\r\n") + "{}"), "malformed");
  EXPECT_EQ(result_of_answer(head(type + "Transfer-Encoding: chunked\r\n") + "x\r\n"), "malformed");
  EXPECT_EQ(result_of_answer(head("", "101 Switching Protocols")), "malformed");
  EXPECT_EQ(result_of_answer(head(type, "700 Odd")), "malformed");
  EXPECT_EQ(result_of_answer(""), "not_connected");
}

TEST(OutboundLimits, what_follows_an_answer_ends_the_connection) {
  const auto told = ask([](FakePeer& peer) {
    peer.write(head(std::string{json_type} + "Content-Length: 2\r\n") + "{}HTTP/1.1 200 OK\r\n\r\n");
    peer.wait_for_end();
  });
  EXPECT_EQ(told.result, "ok");
  EXPECT_EQ(told.connections, 0U);
}

TEST(OutboundLimits, F7_drops_are_cut_by_the_time_in_all) {
  const auto told = ask(
      [](FakePeer& peer) {
        peer.write(head(std::string{json_type} + "Content-Length: 100000\r\n"));
        while (peer.write(" ") && !peer.wait_for_end(10)) {
        }
      },
      {.timeout = milliseconds{300}});
  EXPECT_EQ(told.result, "timed_out");
  EXPECT_EQ(told.connections, 0U);
}

TEST(OutboundLimits, who_does_not_answer_is_not_waited_for) {
  EXPECT_EQ(ask([](FakePeer& peer) { peer.wait_for_end(); }, {.timeout = milliseconds{100}}).result,
            "timed_out");
}

TEST(OutboundLimits, a_handshake_that_stands_still_is_not_waited_for) {
  const FakeServer server{[](FakePeer& peer) { peer.wait_for_end(); }};
  Client client{{.connect_timeout = milliseconds{100}}};
  const auto trust = std::make_shared<const Trust>(Trust{.network = Network::private_allowed});
  const auto url = fmt::format("https://127.0.0.1:{}/", server.port());
  EXPECT_EQ(result_of(run(client.send({.url = url, .trust = trust}))), "timed_out");
}

/// A resolver that does not come back before it is told to.
class StuckResolver final : public Resolver {
 public:
  Resolved blocking_resolve(const std::string& host) override {
    if (host == "free.example.test") return std::vector{text::IpAddress::parse("10.0.0.1").value()};
    ++stuck;
    stuck.notify_all();
    released.wait();
    return std::unexpected("late");
  }
  std::atomic<int> stuck = 0;
  std::latch released{1};
};

TEST(OutboundLimits, a_name_that_is_looked_up_for_too_long_stops_neither_others_nor_the_end) {
  const auto resolver = std::make_shared<StuckResolver>();
  {
    Client client{{.resolver = resolver, .timeout = milliseconds{100}}};
    std::vector<Task<Fetched<Answer>>> requests;
    for (int i = 0; i < 20; ++i) requests.push_back(client.send({.url = "https://stuck.example.test/"}));
    for (const auto& answer : run_all(std::move(requests))) EXPECT_EQ(result_of(answer), "timed_out");
    EXPECT_EQ(resolver->stuck, 1) << "all who ask for a name share one look";
    EXPECT_EQ(result_of(run(client.send({.url = "https://free.example.test/"}))), "address_not_allowed");
  }
  resolver->released.count_down();
}

TEST(OutboundLimits, requests_under_way_are_bounded_in_all_and_for_each_server) {
  const FakeServer stuck{[](FakePeer& peer) { peer.wait_for_end(); }};
  const FakeServer other{[](FakePeer& peer) {
    while (peer.read_request()) peer.answer("{}");
  }};
  Client client{{.timeout = milliseconds{1000}}};
  std::vector<Task<Fetched<Answer>>> requests;
  for (std::size_t i = 0; i < limits::outbound_queue_max; ++i)
    requests.push_back(client.send({.url = stuck.url("127.0.0.1"), .trust = clear_text}));
  requests.push_back(client.send({.url = other.url("127.0.0.1"), .trust = clear_text}));
  std::map<std::string, std::size_t> counts;
  for (const auto& answer : run_all(std::move(requests))) ++counts[result_of(answer)];
  EXPECT_EQ(counts["timed_out"], limits::outbound_queue_max / 4);
  EXPECT_GE(counts["busy"], limits::outbound_queue_max * 3 / 4);
  EXPECT_EQ(result_of(run(client.send({.url = other.url("127.0.0.1"), .trust = clear_text}))), "ok");
  EXPECT_EQ(result_of(run(client.send({.url = stuck.url("127.0.0.1"), .trust = clear_text}))), "timed_out")
      << "places are given back";
}

TEST(OutboundLimits, the_end_tells_those_whose_requests_are_under_way) {
  constexpr int requests = 20;
  std::latch asked{requests};
  const FakeServer server{[&](FakePeer& peer) {
    std::ignore = peer.read_request();
    asked.count_down();
    peer.wait_for_end();
  }};
  const auto resolver = std::make_shared<StuckResolver>();
  asio::io_context loop{1};
  std::vector<std::optional<Fetched<Answer>>> results(requests + 1);
  auto client = std::make_unique<Client>(ClientOptions{.resolver = resolver});
  for (int i = 0; i < requests; ++i) {
    spawn(loop.get_executor(),
          testing::detail::keep(&results[i],
                                client->send({.url = server.url("127.0.0.1"), .trust = clear_text})),
          "test");
  }
  spawn(loop.get_executor(),
        testing::detail::keep(&results[requests], client->send({.url = "https://stuck.example.test/"})),
        "test");
  std::thread caller{[&] { loop.run(); }};
  asked.wait();
  resolver->stuck.wait(0);
  client.reset();
  caller.join();
  for (const auto& result : results) EXPECT_EQ(result_of(result.value()), "busy");
  resolver->released.count_down();
}

}  // namespace
}  // namespace keyward::outbound
