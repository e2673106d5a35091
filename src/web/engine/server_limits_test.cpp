#include <sys/types.h>
#include <csignal>

#include "web/engine/server.hpp"
#include "web/engine/server_test_kit.hpp"

namespace keyward::web::engine {
namespace {

using std::chrono::milliseconds;

ServerOptions impatient() {
  ServerOptions options;
  options.header_timeout = options.body_timeout = options.write_timeout = milliseconds{200};
  return options;
}

TEST_F(ServerTest, H2_a_body_of_the_limit_passes_and_one_byte_more_does_not) {
  start();
  const std::string body(limits::http_body_max_bytes, 'b');
  EXPECT_EQ(ask(post(body)).body, "/p|" + body);
  RawClient client = connect();
  client.send(post(body + "b"));
  EXPECT_EQ(client.read().status, 413U);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, H2_the_limit_holds_for_chunked_bodies) {
  start();
  const std::string head = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string body(limits::http_body_max_bytes, 'b');
  const std::string chunk = "10000\r\n" + body + "\r\n";
  ASSERT_EQ(limits::http_body_max_bytes, 0x10000U);
  EXPECT_EQ(ask(head + chunk + "0\r\n\r\n").body, "/p|" + body);
  EXPECT_EQ(ask(head + chunk + "1\r\nb\r\n0\r\n\r\n").status, 413U);
  EXPECT_EQ(ask(head + "10001\r\n").status, 413U);
}

TEST_F(ServerTest, H2_head_uri_and_count_limits) {
  start();
  const std::string uri(limits::http_uri_max_bytes - 1, 'u');
  EXPECT_EQ(ask(get("/" + uri)).status, 200U);
  EXPECT_EQ(ask(get("/u" + uri)).status, 414U);
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const std::string fill(limits::http_header_max_bytes - begin.size() - 4, 'x');
  EXPECT_EQ(ask(begin + fill + "\r\n\r\n").status, 200U);
  EXPECT_EQ(ask(begin + fill + "x\r\n\r\n").status, 431U);
  std::string headers;
  for (std::size_t i = 1; i < limits::http_header_max_count; ++i) headers += "X: y\r\n";
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n").status, 200U);
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n" + headers + "\r\n").status, 431U);
}

TEST_F(ServerTest, H2_a_mebibyte_of_garbage_is_answered_and_closed) {
  start();
  for (const char byte : {'A', '\0', '\n', '\xff'}) {
    RawClient client = connect();
    client.send(std::string(1U << 20U, byte));
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, byte == 'A' ? 414U : 400U);
    EXPECT_TRUE(client.is_closed());
  }
}

TEST_F(ServerTest, H2_a_slow_head_gets_408) {
  start(impatient());
  RawClient client = connect();
  client.send("GET / HTTP/1.1\r\nHost:");
  EXPECT_EQ(client.read().status, 408U);
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(server->statistics().timeouts, 1U);
}

TEST_F(ServerTest, H2_dripping_bytes_does_not_buy_time) {
  start(impatient());
  RawClient client = connect();
  const std::string line = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(4000, 'x');
  std::jthread dripping{[&](const std::stop_token& stop) {
    for (std::size_t i = 0; i < line.size() && !stop.stop_requested(); ++i) {
      if (!client.send({&line[i], 1})) return;
      std::this_thread::sleep_for(milliseconds{5});  // slowness is what is tested
    }
  }};
  EXPECT_EQ(client.read().status, 408U);
}

TEST_F(ServerTest, H2_a_slow_body_gets_408) {
  start(impatient());
  EXPECT_EQ(ask("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab").status, 408U);
  EXPECT_EQ(ask("POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab").status, 408U);
}

TEST_F(ServerTest, H2_an_idle_connection_is_closed_without_a_word) {
  ServerOptions options;
  options.idle_timeout = milliseconds{200};
  start(options);
  RawClient fresh = connect();
  RawClient used = connect();
  used.send(get("/"));
  EXPECT_EQ(used.read().status, 200U);
  EXPECT_TRUE(fresh.is_closed());
  EXPECT_TRUE(used.is_closed());
}

TEST_F(ServerTest, H2_a_client_that_does_not_read_is_dropped) {
  ServerOptions options = impatient();
  options.drain_deadline = std::chrono::seconds{20};
  start(options);
  RawClient client = connect();
  client.send(get("/large"));
  EXPECT_TRUE(stop());  // the drain ends only when this connection has
  EXPECT_EQ(server->statistics().connections_open, 0U);
}

TEST_F(ServerTest, an_idle_connection_is_parked_and_wakes_up) {
  ServerOptions options;
  options.header_timeout = milliseconds{40};  // makes the sweep quick
  start(options);
  RawClient client = connect();
  client.send(get("/1"));
  EXPECT_EQ(client.read().body, "/1|");
  std::this_thread::sleep_for(
      milliseconds{1200});  // beyond park_after_ms; passes either way, but covers the path
  client.send(get("/2"));
  EXPECT_EQ(client.read().body, "/2|");
}

TEST_F(ServerTest, a_crowd_of_idle_connections_is_served_without_buffers_of_its_own) {
  ServerOptions options;
  options.loops = 1;
  start(options);
  std::vector<std::unique_ptr<RawClient>> crowd;
  for (int i = 0; i < 300; ++i) crowd.push_back(std::make_unique<RawClient>(server->port()));
  for (int round = 0; round < 3; ++round) {
    for (auto& client : crowd) {
      client->send(post("abc"));
      ASSERT_EQ(client->read().body, "/p|abc");
    }
  }
}

TEST_F(ServerTest, H2_connections_above_the_limit_get_503) {
  ServerOptions options;
  options.connections_max = 2;
  start(options);
  {
    RawClient first = connect();
    RawClient second = connect();
    for (RawClient* client : {&first, &second}) {
      client->send(get("/"));
      EXPECT_EQ(client->read().status, 200U);
    }
    RawClient third = connect();
    EXPECT_EQ(third.read().status, 503U);
    EXPECT_TRUE(third.is_closed());
    EXPECT_EQ(server->statistics().connections_refused, 1U);
    first.send(get("/"));
    EXPECT_EQ(first.read().status, 200U);
  }
  for (unsigned status = 503; status == 503;)
    status = ask(get("/")).status;  // until the server has seen them go
}

class PeerLimits : public ServerTest {
 protected:
  /// Connections from one address, each with an answer to its first request, or to none.
  struct Crowd {
    std::vector<std::unique_ptr<RawClient>> clients;
    std::size_t served = 0;
    std::size_t refused = 0;
  };
  [[nodiscard]] Crowd come_from(std::uint8_t address, std::size_t count) const {
    Crowd crowd;
    for (std::size_t i = 0; i < count; ++i) {
      crowd.clients.push_back(std::make_unique<RawClient>(server->port(), address));
      crowd.clients.back()->send(get("/"));
      const auto status = crowd.clients.back()->read().status;
      crowd.served += status == 200 ? 1 : 0;
      crowd.refused += status == 503 ? 1 : 0;
    }
    return crowd;
  }
};

TEST_F(PeerLimits, H2_one_address_has_so_many_connections_on_all_loops_together) {
  ServerOptions options;
  options.loops = 4;
  options.connections_per_address_max = 5;
  start(options);
  auto greedy = come_from(2, 20);
  EXPECT_EQ(greedy.served, 5U);
  EXPECT_EQ(greedy.refused, 15U);
  EXPECT_TRUE(greedy.clients.back()->is_closed());
  EXPECT_EQ(server->statistics().peers_refused, 15U);
  EXPECT_EQ(server->statistics().connections_refused, 0U);
  EXPECT_EQ(come_from(3, 5).served, 5U) << "another address";
  EXPECT_EQ(come_from(1, 20).served, 20U) << "this machine itself";
  for (const auto& client : greedy.clients) client->finish_sending();
  while (come_from(2, 1).served == 0) {  // until the server has seen them go
  }
}

TEST_F(PeerLimits, H2_a_trusted_proxy_speaks_for_many) {
  ServerOptions options;
  options.connections_per_address_max = 5;
  options.trusted_proxies = TrustedProxies::parse("127.0.0.2").value();
  start(options);
  EXPECT_EQ(come_from(2, 20).served, 20U);
}

TEST_F(PeerLimits, H2_who_is_refused_takes_no_place_of_others) {
  constexpr std::size_t told_max = 64;
  ServerOptions options;
  options.loops = 1;
  options.connections_max = 100;
  options.connections_per_address_max = 2;
  start(options);
  // They read nothing and stay: each one that is told holds its place for as long as it lingers.
  std::vector<std::unique_ptr<RawClient>> flood;
  for (int i = 0; i < 500; ++i) flood.push_back(std::make_unique<RawClient>(server->port(), 2));
  while (server->statistics().peers_refused < 498) std::this_thread::yield();
  EXPECT_LE(server->statistics().connections_open, told_max + 2);
  EXPECT_EQ(come_from(3, 2).served, 2U);
}

TEST_F(ServerTest, H2_a_flood_at_one_port_leaves_the_others_their_place) {
  ServerOptions options;
  options.loops = 2;
  options.connections_max = 2;
  auto opened = Server::open(options, handler);
  ASSERT_TRUE(opened);
  server = std::move(*opened);
  ToyHandler other;
  const auto port = server->listen_in_clear("127.0.0.1", 0, other);
  ASSERT_TRUE(port);
  thread = std::jthread{[this] { drained = server->run(); }};
  std::vector<std::unique_ptr<RawClient>> flood;
  // So few that each one is still told why (limits: those who are told at a time).
  for (int i = 0; i < 50; ++i) flood.push_back(std::make_unique<RawClient>(server->port()));
  EXPECT_EQ(flood.back()->read().status, 503U);

  // As many as the other port has place for, and one more, are no matter to the first one.
  flood.erase(flood.begin(), flood.end());
  std::vector<std::unique_ptr<RawClient>> crowd;
  for (std::size_t i = 0; i < limits::http_side_connections_max; ++i) {
    crowd.push_back(std::make_unique<RawClient>(*port));
    crowd.back()->send(get("/"));
    ASSERT_EQ(crowd.back()->read().status, 200U) << i;
  }
  EXPECT_EQ(RawClient{*port}.read().status, 503U);
  for (unsigned status = 503; status == 503;) status = ask(get("/")).status;
  crowd.clear();
  EXPECT_TRUE(stop());
}

TEST_F(ServerTest, H2_clients_that_reset_do_no_harm) {
  start();
  for (const std::string& bytes :
       {std::string{}, std::string{"GET / HT"}, get("/large"), post("abc").substr(0, 50)}) {
    for (int i = 0; i < 10; ++i) {
      RawClient client = connect();
      client.send(bytes);
      client.reset();
    }
  }
  RawClient half = connect();
  half.send(get("/half"));
  half.finish_sending();
  EXPECT_EQ(half.read().body, "/half|");
  EXPECT_TRUE(half.is_closed());
}

TEST_F(ServerTest, drain_finishes_what_is_in_flight) {
  start();
  RawClient idle = connect();
  idle.send(get("/"));
  EXPECT_EQ(idle.read().status, 200U);
  RawClient busy = connect();
  busy.send(get("/wait"));
  handler.await_reached();
  server->stop();
  EXPECT_TRUE(idle.is_closed());
  while (RawClient{server->port()}.connected())
    std::this_thread::yield();  // each loop closes its door in its own time
  handler.release();
  const Answer answer = busy.read();
  EXPECT_EQ(answer.body, "/wait|");
  EXPECT_NE(answer.head.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(busy.is_closed());
  thread.join();
  EXPECT_TRUE(drained);
}

TEST_F(ServerTest, drain_gives_up_at_its_deadline) {
  ServerOptions options;
  options.drain_deadline = milliseconds{100};
  start(options);
  RawClient busy = connect();
  busy.send(get("/wait"));
  handler.await_reached();
  EXPECT_FALSE(stop());
  handler.release();
  server.reset();
  EXPECT_TRUE(busy.is_closed());
}

TEST_F(ServerTest, a_second_stop_ends_at_once) {
  start();
  RawClient busy = connect();
  busy.send(get("/wait"));
  handler.await_reached();
  server->stop();
  EXPECT_FALSE(stop());
  handler.release();
}

TEST_F(ServerTest, a_port_in_use_is_told_at_once) {
  start();
  for (const unsigned loops : {1U, 2U}) {
    ServerOptions options;
    options.port = server->port();
    options.loops = loops;
    const auto second = Server::open(options, handler);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message, "Cannot listen on 127.0.0.1:" + std::to_string(options.port) +
                                          ": the address is already in use");
  }
  ServerOptions nowhere;
  nowhere.host = "no-such-host.invalid";
  EXPECT_FALSE(Server::open(nowhere, handler));
}

TEST_F(ServerTest, SIGTERM_drains) {
  ServerOptions options;
  options.loops = 2;
  auto opened = Server::open(options, handler);
  ASSERT_TRUE(opened);
  server = std::move(*opened);
  server->stop_on_signals();
  ::kill(::getpid(), SIGTERM);
  EXPECT_TRUE(server->run());
}

}  // namespace
}  // namespace keyward::web::engine
