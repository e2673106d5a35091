#include "outbound/documents.hpp"

#include <gtest/gtest.h>

#include <latch>

#include "outbound/testing/fake_server.hpp"
#include "outbound/testing/running.hpp"

namespace keyward::outbound {
namespace {

using namespace testing;
using limits::outbound_fresh;
using limits::outbound_refetch_interval;
using limits::outbound_stale;

const auto clear_text = std::make_shared<const Trust>(Trust{.clear_text_loopback = true});

/// A provider whose document is the number of times that it was asked for.
class DocumentsTest : public ::testing::Test {
 protected:
  std::atomic<int> asked = 0;
  std::atomic<bool> away = false;
  std::atomic<bool> held = false;  // the answers
  std::string fields = "Content-Type: application/json\r\n";
  FakeServer server{[this](FakePeer& peer) {
    while (peer.read_request()) {
      const auto number = std::to_string(++asked);
      held.wait(true);
      peer.answer(number, fields, away ? "503 Service Unavailable" : "200 OK");
    }
  }};
  ManualClock clock{from_unix_s(1'800'000'000)};
  Client client;
  Documents documents{client, clock};

  static std::string text_of(const Fetched<Document>& document) {
    return document ? **document : std::string{to_word(document.error().refusal)};
  }
  std::string get() { return text_of(run(documents.get(server.url("127.0.0.1"), clear_text))); }
  std::string get_newer() { return text_of(run(documents.get_newer(server.url("127.0.0.1"), clear_text))); }
  /// Waits until a fetch beside has ended: it is shared by who asks for something newer meanwhile.
  void wait_for(int count) {
    while (asked < count) std::this_thread::yield();
    while (get() != std::to_string(count)) std::this_thread::yield();
  }
  void release() {
    held = false;
    held.notify_all();
  }
  std::vector<std::string> get_64(bool newer) {
    std::vector<Task<Fetched<Document>>> tasks;
    for (int i = 0; i < 64; ++i) {
      const auto url = server.url("127.0.0.1");
      tasks.push_back(newer ? documents.get_newer(url, clear_text) : documents.get(url, clear_text));
    }
    std::vector<std::string> texts;
    for (const auto& document : run_all(std::move(tasks))) texts.push_back(text_of(document));
    return texts;
  }
  static std::vector<std::string> all(const std::string& text) { return std::vector<std::string>(64, text); }
};

TEST_F(DocumentsTest, all_who_ask_at_a_time_share_one_request) {
  EXPECT_EQ(get_64(false), all("1"));
  EXPECT_EQ(asked, 1);
}

TEST_F(DocumentsTest, a_fresh_document_is_not_asked_for_again) {
  EXPECT_EQ(get(), "1");
  clock.advance(outbound_fresh - seconds{1});
  EXPECT_EQ(get(), "1");
  EXPECT_EQ(asked, 1);
}

TEST_F(DocumentsTest, a_stale_one_is_given_and_fetched_anew_once) {
  EXPECT_EQ(get(), "1");
  clock.advance(outbound_fresh);
  held = true;
  EXPECT_EQ(get_64(false), all("1"));
  release();
  wait_for(2);
  EXPECT_EQ(get_64(false), all("2"));
  EXPECT_EQ(asked, 2);
}

TEST_F(DocumentsTest, the_provider_says_how_long_it_is_fresh) {
  fields += "Cache-Control: public, max-age=600\r\n";
  EXPECT_EQ(get(), "1");
  clock.advance(seconds{599});
  EXPECT_EQ(get(), "1");
  EXPECT_EQ(asked, 1);
  clock.advance(seconds{1});
  EXPECT_EQ(get(), "1");
  wait_for(2);
}

TEST_F(DocumentsTest, what_the_provider_says_has_limits) {
  fields += "Cache-Control: no-store\r\n";
  EXPECT_EQ(get(), "1");
  clock.advance(outbound_refetch_interval - seconds{1});
  EXPECT_EQ(get(), "1");
  EXPECT_EQ(asked, 1);
  clock.advance(seconds{1});
  EXPECT_EQ(get(), "1");
  wait_for(2);
}

TEST_F(DocumentsTest, a_day_is_the_longest_that_a_document_is_taken) {
  fields += "Cache-Control: max-age=31536000\r\n";
  EXPECT_EQ(get(), "1");
  clock.advance(outbound_stale);
  EXPECT_EQ(get(), "2");
}

TEST_F(DocumentsTest, a_provider_that_is_away_leaves_us_what_we_have_for_a_day) {
  EXPECT_EQ(get(), "1");
  away = true;
  clock.advance(outbound_fresh);
  EXPECT_EQ(get(), "1");
  while (asked < 2) std::this_thread::yield();
  EXPECT_EQ(get_newer(), "1") << "shares the fetch beside, or makes one that fails as well";
  const int so_far = asked;
  EXPECT_EQ(get_64(false), all("1"));
  EXPECT_EQ(asked, so_far) << "after a failure nobody asks for half a minute";
  clock.advance(outbound_refetch_interval);
  EXPECT_EQ(get_64(false), all("1"));
  while (asked < so_far + 1) std::this_thread::yield();
  clock.advance(outbound_stale);
  EXPECT_EQ(get(), "malformed");
}

TEST_F(DocumentsTest, a_provider_that_is_away_from_the_start_is_asked_once_in_five_seconds) {
  away = true;
  EXPECT_EQ(get_64(false), all("malformed"));
  EXPECT_EQ(get_64(true), all("malformed"));
  EXPECT_EQ(get(), "malformed");
  EXPECT_EQ(asked, 1);
  clock.advance(seconds{5});
  away = false;
  EXPECT_EQ(get_64(false), all("2"));
  EXPECT_EQ(asked, 2);
}

TEST_F(DocumentsTest, an_unknown_key_makes_one_request_in_half_a_minute) {
  EXPECT_EQ(get(), "1");
  EXPECT_EQ(get_64(true), all("2")) << "the first one may ask at once";
  EXPECT_EQ(get_64(true), all("2"));
  clock.advance(outbound_refetch_interval - seconds{1});
  EXPECT_EQ(get_64(true), all("2"));
  EXPECT_EQ(asked, 2);
  clock.advance(seconds{1});
  EXPECT_EQ(get_64(true), all("3"));
  EXPECT_EQ(asked, 3);
}

TEST_F(DocumentsTest, an_unknown_key_and_a_provider_that_is_away_make_one_request_as_well) {
  EXPECT_EQ(get(), "1");
  away = true;
  EXPECT_EQ(get_64(true), all("1"));
  EXPECT_EQ(get_64(true), all("1"));
  EXPECT_EQ(asked, 2);
}

TEST_F(DocumentsTest, who_finds_nothing_here_has_asked_for_the_newest) {
  EXPECT_EQ(get_64(true), all("1"));
  EXPECT_EQ(get_newer(), "1");
  EXPECT_EQ(asked, 1);
}

TEST_F(DocumentsTest, another_trust_is_another_document) {
  EXPECT_EQ(get(), "1");
  const auto equal = std::make_shared<const Trust>(*clear_text);
  EXPECT_EQ(text_of(run(documents.get(server.url("127.0.0.1"), equal))), "1");
  const auto other =
      std::make_shared<const Trust>(Trust{.network = Network::private_allowed, .clear_text_loopback = true});
  EXPECT_EQ(text_of(run(documents.get(server.url("127.0.0.1"), other))), "2");
  EXPECT_EQ(text_of(run(documents.get(server.url("127.0.0.1"), nullptr))), "clear_text");
}

TEST_F(DocumentsTest, the_documents_that_are_kept_are_bounded) {
  const auto path = [&](int i) { return server.url("127.0.0.1", fmt::format("/{}", i)); };
  constexpr int max = limits::outbound_cache_entries_max;
  for (int i = 0; i <= max; ++i) {
    EXPECT_EQ(text_of(run(documents.get(path(i), clear_text))), std::to_string(i + 1));
    clock.advance(microseconds{1});
  }
  EXPECT_EQ(text_of(run(documents.get(path(max), clear_text))), std::to_string(max + 1));
  EXPECT_EQ(text_of(run(documents.get(path(0), clear_text))), std::to_string(max + 2))
      << "the oldest has gone";
}

TEST(Documents, the_end_tells_those_who_wait) {
  std::latch asked{1};
  const FakeServer server{[&](FakePeer& peer) {
    std::ignore = peer.read_request();
    asked.count_down();
    peer.wait_for_end();
  }};
  const SystemClock clock;
  auto client = std::make_unique<Client>();
  auto documents = std::make_unique<Documents>(*client, clock);
  asio::io_context loop{1};
  std::vector<std::optional<Fetched<Document>>> results(8);
  for (auto& result : results) {
    spawn(loop.get_executor(),
          testing::detail::keep(&result, documents->get(server.url("127.0.0.1"), clear_text)), "test");
  }
  std::thread caller{[&] { loop.run(); }};
  asked.wait();
  documents.reset();
  client.reset();
  caller.join();
  for (const auto& result : results) EXPECT_EQ(result.value().error().refusal, Refusal::busy);
}

}  // namespace
}  // namespace keyward::outbound
