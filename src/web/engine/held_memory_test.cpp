// What all connections hold together (engine/exchange.hpp), and for how long.
#include "web/engine/server.hpp"
#include "web/engine/server_test_kit.hpp"

namespace keyward::web::engine {
namespace {

using std::chrono::milliseconds;

using Clients = std::vector<std::unique_ptr<RawClient>>;

/// So many that have sent all of the request but its last byte, from 127.0.0.`from`.
Clients hold(std::uint16_t port, int count, std::string_view request, std::uint32_t from = 1) {
  Clients clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>(port, from));
    clients.back()->send(request.substr(0, request.size() - 1));
  }
  return clients;
}

int finish(const Clients& clients) {
  int taken = 0;
  for (const auto& client : clients) {
    client->send("b");
    if (client->read().status == 200U) ++taken;
  }
  return taken;
}

class HeldMemory : public ServerTest {
 protected:
  void start_with_large_bodies() {
    ServerOptions options;
    options.loops = 1;
    options.body_max_bytes = 8UL << 20U;
    start(options);
    request = post(std::string(options.body_max_bytes, 'b'));
  }
  std::string request;
};

TEST_F(HeldMemory, H2_what_unfinished_requests_hold_together_is_bounded) {
  start_with_large_bodies();
  Clients clients = hold(server->port(), 12, request);
  EXPECT_EQ(ask(post("small")).status, 200U);  // they are in nobody's way
  const int taken = finish(clients);
  EXPECT_GE(taken, 4);  // of the 64 MiB, with room for a body to grow
  EXPECT_LE(taken, 8);
  clients.clear();
  EXPECT_EQ(ask(request).status, 200U);  // and they have it no more
}

TEST_F(HeldMemory, H2_one_address_cannot_have_all_of_it) {
  start_with_large_bodies();
  const Clients clients = hold(server->port(), 5, request, 2);
  EXPECT_EQ(finish(hold(server->port(), 1, request, 3)), 1);
  const int taken = finish(clients);
  EXPECT_GE(taken, 1);
  EXPECT_LE(taken, 2);  // two bodies at the least, however large they may be
}

TEST_F(HeldMemory, H2_who_is_refused_is_told_when_to_come_again) {
  ServerOptions options;
  options.connections_max = 1;
  start(options);
  RawClient first = connect();
  first.send(get("/"));
  EXPECT_EQ(first.read().status, 200U);
  const Answer answer = ask(get("/"));
  EXPECT_EQ(answer.status, 503U);
  EXPECT_NE(answer.head.find("Retry-After: "), std::string::npos);
}

TEST_F(HeldMemory, H2_a_reader_cannot_drip_to_stay) {
  ServerOptions options;
  options.write_timeout = milliseconds{400};
  options.write_min_bytes_per_s = 256UL << 20U;  // 31 ms for the 8 MiB
  start(options);
  RawClient client = connect();
  client.send(get("/large"));
  std::size_t taken = 0;
  while (const std::size_t count = client.take(32UL << 10U)) {
    taken += count;
    std::this_thread::sleep_for(milliseconds{20});  // slowness is what is tested
  }
  EXPECT_LT(taken, 8UL << 20U);
  EXPECT_EQ(server->statistics().timeouts, 1U);
}

}  // namespace
}  // namespace keyward::web::engine
