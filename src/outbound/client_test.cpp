// Where requests go: addresses, certificates, and connections that are kept.
#include "outbound/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>

#include "outbound/testing/fake_server.hpp"
#include "outbound/testing/running.hpp"

namespace keyward::outbound {
namespace {

using namespace testing;
using ::testing::HasSubstr;

void serve_json(FakePeer& peer) {
  while (peer.read_request()) peer.answer("{}");
}

std::shared_ptr<FakeResolver> resolve_all_to(const std::vector<std::string>& addresses) {
  return std::make_shared<FakeResolver>([addresses](const std::string&, int) { return addresses; });
}

/// `ok`, or why not.
std::string result_of(const Fetched<Answer>& answer) {
  return std::string{answer ? "ok" : to_word(answer.error().refusal)};
}

const auto clear_text = std::make_shared<const Trust>(Trust{.clear_text_loopback = true});

class OutboundTls : public ::testing::Test {
 protected:
  Certificate authority = make_authority();
  std::shared_ptr<const Trust> trust =
      std::make_shared<const Trust>(Trust{.network = Network::private_allowed, .ca_pem = authority.pem()});
  Client client{{.resolver = resolve_all_to({"127.0.0.1"})}};

  std::string ask(const FakeServer& server, const std::string& host) {
    const auto answer = run(client.send({.url = server.url(host), .trust = trust}));
    if (!answer) detail = answer.error().detail;
    return result_of(answer);
  }
  std::string detail;
};

TEST(Outbound, gives_the_answer) {
  std::promise<std::string> asked;
  const FakeServer server{[&](FakePeer& peer) {
    asked.set_value(peer.read_request().value());
    peer.answer(R"({"error":"invalid_grant"})",
                "Content-Type: application/json;charset=UTF-8\r\nCache-Control: max-age=100\r\nAge: 30\r\n",
                "400 Bad Request");
  }};
  Client client;
  const auto answer = run(client.send({.url = server.url("127.0.0.1", "/token"),
                                       .trust = clear_text,
                                       .fields = {{"Authorization", "Basic eDp5"}},
                                       .form = "grant_type=x"}));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 400U);
  EXPECT_EQ(answer->content_type, "application/json");
  EXPECT_EQ(answer->body, R"({"error":"invalid_grant"})");
  EXPECT_EQ(answer->max_age, std::chrono::seconds{70});
  const auto text = asked.get_future().get();
  EXPECT_THAT(text, HasSubstr("POST /token HTTP/1.1\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nAuthorization: Basic eDp5\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\n\r\ngrant_type=x"));
}

TEST(Outbound, counts_what_came_of_requests) {
  const FakeServer server{serve_json};
  Client client;
  std::ignore = run(client.send({.url = server.url("127.0.0.1"), .trust = clear_text}));
  std::ignore = run(client.send({.url = "nonsense"}));
  std::map<std::string, std::uint64_t> counts;
  client.meters().results.for_each([&](std::string_view word, std::uint64_t count) {
    if (count > 0) counts[std::string{word}] = count;
  });
  EXPECT_EQ(counts, (std::map<std::string, std::uint64_t>{{"ok", 1}, {"bad_url", 1}}));
  EXPECT_EQ(client.meters().seconds.values().count(), 2U);
  EXPECT_EQ(client.meters().open_connections, 1U);
}

TEST(Outbound, every_refusal_has_a_word_that_is_counted) {
  for (int i = 0; i <= static_cast<int>(Refusal::busy); ++i)
    EXPECT_THAT(result_words, ::testing::Contains(to_word(static_cast<Refusal>(i))));
}

TEST(Outbound, F7_clear_text_only_to_this_machine_and_only_when_it_is_allowed) {
  const FakeServer server{serve_json};
  const auto asked = [&](const std::string& url, const std::shared_ptr<const Trust>& trust,
                         const std::vector<std::string>& addresses) {
    Client client{{.resolver = resolve_all_to(addresses)}};
    return result_of(run(client.send({.url = url, .trust = trust})));
  };
  const auto private_too =
      std::make_shared<const Trust>(Trust{.network = Network::private_allowed, .clear_text_loopback = true});
  const auto private_only = std::make_shared<const Trust>(Trust{.network = Network::private_allowed});
  EXPECT_EQ(asked(server.url("127.0.0.1"), clear_text, {}), "ok");
  EXPECT_EQ(asked(server.url("development.test"), clear_text, {"127.0.0.1"}), "ok");
  EXPECT_EQ(asked(server.url("127.0.0.1"), nullptr, {}), "clear_text");
  EXPECT_EQ(asked(server.url("127.0.0.1"), private_only, {}), "clear_text");
  EXPECT_EQ(asked("http://10.0.0.1/", private_too, {}), "clear_text");
  EXPECT_EQ(asked("http://login.example.test/", private_too, {"10.0.0.1"}), "clear_text");
  EXPECT_EQ(asked("http://login.example.test/", clear_text, {"2d00::1"}), "clear_text");
  EXPECT_EQ(server.accepted(), 2);
}

TEST(Outbound, F7_an_address_that_may_not_be_asked_is_not_connected_to) {
  const FakeServer server{serve_json};
  for (const auto* address :
       {"127.0.0.1", "::ffff:127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1", "2002:7f00:1::1", "::127.0.0.1", "2001:0:7f00:1::", "fd00::1", "fe80::1"}) {
    Client client{{.resolver = resolve_all_to({address})}};
    const auto answer =
        run(client.send({.url = fmt::format("https://login.example.test:{}/", server.port())}));
    EXPECT_EQ(result_of(answer), "address_not_allowed") << address;
  }
  Client client;
  for (const auto* host :
       {"127.0.0.1", "[::1]", "10.1.2.3", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "localhost"}) {
    const auto answer = run(client.send({.url = fmt::format("https://{}:{}/", host, server.port())}));
    EXPECT_EQ(result_of(answer), "address_not_allowed") << host;
  }
  EXPECT_EQ(server.accepted(), 0);
  EXPECT_EQ(client.meters().open_connections, 0U);
}

TEST(Outbound, F7_a_name_that_rebinds_is_refused) {
  const FakeServer server{serve_json};
  // 2d00::/8 is given to nobody. What is asked first has a public address, or so it seems.
  const auto resolver = std::make_shared<FakeResolver>(
      [](const std::string&, int n) { return std::vector<std::string>{n == 0 ? "2d00::1" : "127.0.0.1"}; });
  Client client{{.resolver = resolver, .connect_timeout = std::chrono::milliseconds{50}}};
  const auto url = fmt::format("https://login.example.test:{}/", server.port());
  EXPECT_THAT(result_of(run(client.send({.url = url}))), ::testing::AnyOf("not_connected", "timed_out"));
  EXPECT_EQ(resolver->looks, 1)
      << "a name is looked up once for a connection: what was checked is connected to";
  EXPECT_EQ(result_of(run(client.send({.url = url}))), "address_not_allowed");
  EXPECT_EQ(resolver->looks, 2);
  EXPECT_EQ(server.accepted(), 0);
}

TEST_F(OutboundTls, F7_the_addresses_of_a_name_are_tried_in_turn_without_those_not_allowed) {
  const auto certificate = issue(authority, "DNS:login.example.test");
  const FakeServer server{serve_json, &certificate, "127.0.0.2"};
  Client other{{.resolver = resolve_all_to({"127.0.0.1", "127.0.0.2"})}};  // nobody listens at the first
  EXPECT_EQ(result_of(run(other.send({.url = server.url("login.example.test"), .trust = trust}))), "ok");
  Client mixed{{.resolver = resolve_all_to({"127.0.0.2", "2d00::1"}),
                .connect_timeout = std::chrono::milliseconds{50}}};
  const auto strict = std::make_shared<const Trust>(Trust{.ca_pem = authority.pem()});
  EXPECT_NE(result_of(run(mixed.send({.url = server.url("login.example.test"), .trust = strict}))), "ok");
  EXPECT_EQ(server.accepted(), 1);
}

TEST(Outbound, a_name_without_an_address_is_told) {
  Client client{{.resolver = resolve_all_to({})}};
  EXPECT_EQ(result_of(run(client.send({.url = "https://login.example.test/"}))), "not_resolved");
}

TEST(Outbound, F7_a_redirect_is_not_followed) {
  const FakeServer inside{serve_json};
  const FakeServer server{[&](FakePeer& peer) {
    std::ignore = peer.read_request();
    peer.answer("{}",
                fmt::format("Content-Type: application/json\r\nLocation: {}\r\n", inside.url("127.0.0.1")),
                "302 Found");
  }};
  Client client;
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(result_of(run(client.send({.url = server.url("127.0.0.1"), .trust = clear_text}))),
              "redirected");
  EXPECT_EQ(inside.accepted(), 0);
}

TEST(Outbound, F7_no_proxy_is_taken_from_the_environment) {
  const FakeServer proxy{serve_json};
  const FakeServer server{serve_json};
  const auto url = proxy.url("127.0.0.1");
  for (const auto* name :
       {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the servers' threads do not look at it
    ASSERT_EQ(::setenv(name, url.c_str(), 1), 0);
  Client client;
  const auto answer = run(client.send({.url = server.url("127.0.0.1"), .trust = clear_text}));
  for (const auto* name :
       {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})
    ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe): likewise
  EXPECT_EQ(result_of(answer), "ok");
  EXPECT_EQ(server.accepted(), 1);
  EXPECT_EQ(proxy.accepted(), 0);
}

TEST_F(OutboundTls, F7_a_certificate_must_count) {
  const auto good = issue(authority, "DNS:login.example.test");
  const auto other_authority = make_authority("Another one");
  const auto unknown = issue(other_authority, "DNS:login.example.test");
  const auto expired = issue_expired(authority, "DNS:login.example.test");
  const auto own = self_sign("DNS:login.example.test");
  const auto nameless = issue(authority, "");  // its common name is not looked at
  EXPECT_EQ(ask(FakeServer{serve_json, &good}, "login.example.test"), "ok") << detail;
  EXPECT_EQ(ask(FakeServer{serve_json, &good}, "other.example.test"), "tls_failed");
  EXPECT_THAT(detail, HasSubstr("ostname mismatch"));
  EXPECT_EQ(ask(FakeServer{serve_json, &unknown}, "login.example.test"), "tls_failed");
  EXPECT_EQ(ask(FakeServer{serve_json, &expired}, "login.example.test"), "tls_failed");
  EXPECT_THAT(detail, HasSubstr("expired"));
  EXPECT_EQ(ask(FakeServer{serve_json, &own}, "login.example.test"), "tls_failed");
  EXPECT_EQ(ask(FakeServer{serve_json, &nameless}, "server"), "tls_failed");
}

TEST_F(OutboundTls, F7_a_certificate_is_for_the_address_when_the_url_has_one) {
  const auto good = issue(authority, "IP:127.0.0.1");
  const auto other = issue(authority, "IP:127.0.0.2,DNS:127.0.0.1");
  EXPECT_EQ(ask(FakeServer{serve_json, &good}, "127.0.0.1"), "ok") << detail;
  EXPECT_EQ(ask(FakeServer{serve_json, &other}, "127.0.0.1"), "tls_failed");
}

TEST_F(OutboundTls, the_systems_authorities_count_only_when_no_others_are_named) {
  const auto good = issue(authority, "DNS:login.example.test");
  const FakeServer server{serve_json, &good};
  trust = std::make_shared<const Trust>(Trust{.network = Network::private_allowed});
  EXPECT_EQ(ask(server, "login.example.test"), "tls_failed");
  for (const auto& pem : {std::string{"nonsense"}, authority.pem() + "-----BEGIN CERTIFICATE-----\nAA\n"}) {
    trust = std::make_shared<const Trust>(Trust{.network = Network::private_allowed, .ca_pem = pem});
    EXPECT_EQ(ask(server, "login.example.test"), "tls_failed");
    EXPECT_THAT(detail, HasSubstr("cannot be read"));
  }
}

TEST_F(OutboundTls, a_server_without_tls_is_told) {
  const FakeServer server{[](FakePeer& peer) {
    peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.wait_for_end();
  }};
  const auto url = fmt::format("https://login.example.test:{}/", server.port());
  EXPECT_EQ(result_of(run(client.send({.url = url, .trust = trust}))), "tls_failed");
}

TEST_F(OutboundTls, an_answer_that_somebody_on_the_way_cut_off_is_not_taken) {
  const auto certificate = issue(authority, "DNS:login.example.test");
  const auto answered = [&](bool properly) {
    return ask(FakeServer{[properly](FakePeer& peer) {
                            std::ignore = peer.read_request();
                            peer.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}");
                            if (properly) peer.end();
                          },
                          &certificate},
               "login.example.test");
  };
  EXPECT_EQ(answered(true), "ok") << detail;
  EXPECT_EQ(answered(false), "not_connected") << "without a length, only TLS tells where the end is";
}

TEST_F(OutboundTls, connections_are_kept_for_the_same_server_and_trust) {
  const auto certificate = issue(authority, "DNS:login.example.test,DNS:other.example.test");
  const FakeServer server{serve_json, &certificate};
  EXPECT_EQ(ask(server, "login.example.test"), "ok");
  trust = std::make_shared<const Trust>(*trust);  // equal
  EXPECT_EQ(ask(server, "login.example.test"), "ok");
  EXPECT_EQ(server.accepted(), 1);
  EXPECT_EQ(ask(server, "other.example.test"), "ok");
  EXPECT_EQ(server.accepted(), 2);
  // Another set of authorities, to which the server's does not belong: a kept connection would get past that.
  trust = std::make_shared<const Trust>(
      Trust{.network = Network::private_allowed, .ca_pem = make_authority("Another one").pem()});
  EXPECT_EQ(ask(server, "login.example.test"), "tls_failed");
  EXPECT_EQ(client.meters().open_connections, 2U);
}

TEST(Outbound, connections_that_are_kept_are_bounded_and_end_after_a_while) {
  std::vector<std::unique_ptr<FakeServer>> servers;
  for (std::size_t i = 0; i < limits::outbound_idle_connections_max + 3; ++i)
    servers.push_back(std::make_unique<FakeServer>(serve_json));
  const auto ask_all = [&](Client& client) {
    for (const auto& server : servers) {
      const auto answer = run(client.send({.url = server->url("127.0.0.1"), .trust = clear_text}));
      EXPECT_EQ(result_of(answer), "ok");
    }
  };
  Client client;
  ask_all(client);
  EXPECT_EQ(client.meters().open_connections, limits::outbound_idle_connections_max);
  Client hasty{{.idle_timeout = std::chrono::milliseconds{20}}};
  ask_all(hasty);
  while (hasty.meters().open_connections > 0) std::this_thread::yield();
}

TEST(Outbound, a_kept_connection_that_was_closed_is_replaced) {
  std::promise<void> closed;
  std::atomic<int> served = 0;
  const FakeServer server{[&](FakePeer& peer) {
    std::ignore = peer.read_request();
    peer.answer("{}");
    if (++served > 1) return;
    peer.end();
    closed.set_value();
  }};
  Client client;
  EXPECT_EQ(result_of(run(client.send({.url = server.url("127.0.0.1"), .trust = clear_text}))), "ok");
  closed.get_future().wait();
  const auto answer = run(client.send({.url = server.url("127.0.0.1"), .trust = clear_text, .form = "a=b"}));
  EXPECT_EQ(result_of(answer), "ok");
  EXPECT_EQ(server.accepted(), 2);
}

TEST(Outbound, a_form_that_may_have_been_read_is_not_sent_twice) {
  std::atomic<int> asked = 0;
  const FakeServer server{[&](FakePeer& peer) {
    while (peer.read_request()) {
      if (++asked % 2 == 0) return;  // every second request is read and not answered
      peer.answer("{}");
    }
  }};
  Client client;
  const auto url = server.url("127.0.0.1");
  EXPECT_EQ(result_of(run(client.send({.url = url, .trust = clear_text}))), "ok");
  EXPECT_EQ(result_of(run(client.send({.url = url, .trust = clear_text, .form = "a=b"}))), "not_connected");
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(result_of(run(client.send({.url = url, .trust = clear_text}))), "ok");
  EXPECT_EQ(result_of(run(client.send({.url = url, .trust = clear_text}))), "ok") << "a GET is";
  EXPECT_EQ(asked, 5);
}

}  // namespace
}  // namespace keyward::outbound
