#include "web/engine/server.hpp"

#include "web/engine/server_test_kit.hpp"

namespace keyward::web::engine {
namespace {

bool has(const Answer& answer, std::string_view line) { return answer.head.find(line) != std::string::npos; }

TEST_F(ServerTest, keeps_the_connection_alive) {
  start();
  RawClient client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send(get("/" + std::to_string(i)));
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, "/" + std::to_string(i) + "|");
  }
  EXPECT_EQ(server->statistics().requests, 3U);
  EXPECT_EQ(server->statistics().connections_open, 1U);
}

TEST_F(ServerTest, answers_a_hundred_pipelined_requests_in_order) {
  start();
  std::string all;
  for (int i = 0; i < 100; ++i) all += i % 3 == 0 ? post(std::to_string(i)) : get("/" + std::to_string(i));
  RawClient client = connect();
  client.send(all);
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(i);
    EXPECT_EQ(client.read().body, i % 3 == 0 ? "/p|" + number : "/" + number + "|");
  }
}

TEST_F(ServerTest, an_answer_does_not_wait_for_the_slow_one_behind_it) {
  start();
  RawClient client = connect();
  client.send(get("/1") + get("/wait") + get("/3"));
  EXPECT_EQ(client.read().body, "/1|");
  handler.await_reached();
  handler.release();
  EXPECT_EQ(client.read().body, "/wait|");
  EXPECT_EQ(client.read().body, "/3|");
}

TEST_F(ServerTest, reads_requests_split_at_every_byte) {
  start();
  const std::string chunked =
      "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: "
      "u\r\n\r\n";
  const std::string text = "\r\n" + post("hello") + chunked + get("/last");
  RawClient client = connect();
  for (std::size_t split = 1; split < text.size(); ++split) {
    client.send(std::string_view{text}.substr(0, split));
    if (split % 8 == 0) std::this_thread::yield();
    client.send(std::string_view{text}.substr(split));
    ASSERT_EQ(client.read().body, "/p|hello") << split;
    ASSERT_EQ(client.read().body, "/c|abcde") << split;
    ASSERT_EQ(client.read().body, "/last|") << split;
  }
  for (const char c : text) client.send({&c, 1});
  EXPECT_EQ(client.read().body, "/p|hello");
  EXPECT_EQ(client.read().body, "/c|abcde");
  EXPECT_EQ(client.read().body, "/last|");
}

TEST_F(ServerTest, chunks_fit_behind_a_head_that_fills_the_buffer) {
  start();
  for (const std::size_t fill : {3900U, 3990U, 4000U, 4010U, 4096U, 12000U}) {
    const std::string head =
        "POST /c?" + std::string(2000, 'q') +
        " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: " + std::string(fill - 2000, 'x') +
        "\r\n\r\n";
    RawClient client = connect();
    client.send(head);
    client.send("1000\r\n" + std::string(0x1000, 'y') + "\r\n0\r\n\r\n" + get("/next"));
    EXPECT_EQ(client.read().body, "/c|" + std::string(0x1000, 'y')) << fill;
    EXPECT_EQ(client.read().body, "/next|") << fill;
  }
}

TEST_F(ServerTest, head_has_the_length_but_no_body) {
  start();
  RawClient client = connect();
  client.send("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n" + get("/after"));
  const Answer answer = client.read(true);
  EXPECT_TRUE(has(answer, "Content-Length: 3\r\n"));
  EXPECT_EQ(client.read().body, "/after|");
}

TEST_F(ServerTest, continue_is_said_when_the_body_is_awaited) {
  start();
  RawClient client = connect();
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read().status, 100U);
  client.send("ok");
  EXPECT_EQ(client.read().body, "/p|ok");
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(client.read().status, 100U);
  client.send("2\r\nok\r\n0\r\n\r\n");
  EXPECT_EQ(client.read().body, "/p|ok");
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(client.read().status, 200U) << "the body was there already";
  EXPECT_EQ(
      ask("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 999999999\r\n\r\n").status,
      413U);
}

TEST_F(ServerTest, A4_each_request_of_a_proxys_connection_has_its_own_client) {
  start({.trusted_proxies = TrustedProxies::parse("127.0.0.1").value()});
  RawClient client = connect();
  const auto ask_as = [](std::string_view forwarded_for) {
    return "GET /address HTTP/1.1\r\nHost: a\r\n" + std::string{forwarded_for} + "\r\n";
  };
  client.send(ask_as("X-Forwarded-For: 198.51.100.1\r\n") + ask_as("") + ask_as("X-Forwarded-For: x\r\n") +
              ask_as("x-forwarded-for: 198.51.100.2\r\nX-FORWARDED-FOR: 2001:db8::1\r\n"));
  EXPECT_EQ(client.read().body, "198.51.100.1");
  EXPECT_EQ(client.read().body, "127.0.0.1");
  EXPECT_EQ(client.read().body, "127.0.0.1");
  EXPECT_EQ(client.read().body, "2001:db8::1");
}

TEST_F(ServerTest, A3_without_trusted_proxies_the_client_is_the_peer) {
  start();
  EXPECT_EQ(ask("GET /address HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n").body,
            "127.0.0.1");
}

TEST_F(ServerTest, http_1_0_closes_unless_asked_to_stay) {
  start();
  RawClient closing = connect();
  closing.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(has(closing.read(), "Connection: close\r\n"));
  EXPECT_TRUE(closing.is_closed());
  RawClient staying = connect();
  for (int i = 0; i < 2; ++i) {
    staying.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(has(staying.read(), "Connection: keep-alive\r\n"));
  }
}

TEST_F(ServerTest, connection_close_ends_after_the_answer) {
  start();
  RawClient client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get("/never"));
  EXPECT_EQ(client.read().body, "/a|");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, a_throwing_handler_gives_500_and_the_connection_goes_on) {
  start();
  RawClient client = connect();
  client.send(get("/throw") + get("/inject") + get("/fine"));
  EXPECT_EQ(client.read().status, 500U);
  const Answer injected = client.read();
  EXPECT_EQ(injected.status, 500U);
  EXPECT_FALSE(has(injected, "Set-Cookie"));
  EXPECT_EQ(client.read().body, "/fine|");
}

TEST_F(ServerTest, every_answer_has_a_request_id) {
  start();
  const auto id_of = [](const Answer& answer) {
    const auto at = answer.head.find("X-Request-Id: ") + 14;
    return answer.head.substr(at, answer.head.find('\r', at) - at);
  };
  const std::string first = id_of(ask(get("/")));
  EXPECT_GE(first.size(), 8U);
  EXPECT_NE(first, id_of(ask(get("/"))));
  EXPECT_EQ(id_of(ask("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: my.id-12\r\n\r\n")), "my.id-12");
  EXPECT_NE(id_of(ask("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: bad id!!\r\n\r\n")), "bad id!!");
  EXPECT_GE(id_of(ask("nonsense\r\n\r\n")).size(), 8U);
}

TEST_F(ServerTest, H1_framing_errors_are_refused_and_nothing_behind_them_is_read) {
  start();
  const std::string head = "POST /p HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  expect_refused(head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
  expect_refused(head + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400);
  expect_refused(head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400);
  expect_refused(head + "X: y\r\n z\r\n\r\n", 400);
  expect_refused("GET / HTTP/1.1\nHost: a\n\n", 400);
  expect_refused("\r\n\r\n", 400);
  expect_refused("GET / HTTP/1.1\r\n\r\n", 400);
  expect_refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
  expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400);
  expect_refused("\x16\x03\x01\x02\x05\x01", 400);
  expect_refused("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501);
  expect_refused(head + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415);
  expect_refused(chunked + "5\r\nhelloX", 400);
  expect_refused(chunked + "zz\r\n", 400);
  expect_refused(chunked + "5\nhello\r\n0\r\n\r\n", 400);
  expect_refused(chunked + "0\r\nbad trailer\r\n\r\n", 400);
  EXPECT_EQ(server->statistics().requests, 0U);
  EXPECT_EQ(server->statistics().requests_refused, 16U);
}

TEST_F(ServerTest, H3_trace_and_connect_are_refused_with_the_methods_that_are_not) {
  start();
  EXPECT_TRUE(has(ask("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
                  "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"));
  EXPECT_EQ(ask("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n").status, 405U);
  const Answer plain = ask(get("/"));
  EXPECT_FALSE(has(plain, "Server:"));
}

TEST_F(ServerTest, H1_good_requests_before_a_bad_one_are_answered) {
  start();
  RawClient client = connect();
  client.send(get("/1") + get("/2") + "bad\r\n\r\n" + get("/3"));
  EXPECT_EQ(client.read().body, "/1|");
  EXPECT_EQ(client.read().body, "/2|");
  EXPECT_EQ(client.read().status, 400U);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, a_large_answer_arrives_whole) {
  start();
  RawClient client = connect();
  client.send(get("/large") + get("/after"));
  EXPECT_EQ(client.read().body, std::string(8U << 20U, 'l'));
  EXPECT_EQ(client.read().body, "/after|");
}

TEST_F(ServerTest, headers_of_an_answer_that_nobody_took_reach_no_other_connection) {
  start({.loops = 1});
  {
    RawClient gone = connect();
    gone.send(get("/large"));
    ASSERT_GT(gone.take(1), 0U);  // it is under way
    gone.reset();
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask(get("/left")).body, "0");
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

}  // namespace
}  // namespace keyward::web::engine
