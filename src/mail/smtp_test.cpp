// What takes minutes with the real limits. Everything else is in tests/e2e/test_mail.py and
// test_mail_faults.py.
#include "mail/smtp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace keyward::mail {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using enum Delivery::Verdict;

/// Takes one mail and never answers to it.
class ThinkingServer {
 public:
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] bool has_mail() const { return has_mail_; }

 private:
  void talk() {
    tcp::socket socket{context_};
    acceptor_.accept(socket);
    asio::streambuf buffer;
    boost::system::error_code error;
    const auto answer = [&](std::string_view text) { asio::write(socket, asio::buffer(text), error); };
    answer("220 thinking\r\n");
    for (const std::string_view text : {"250 thinking\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n"}) {
      buffer.consume(asio::read_until(socket, buffer, "\r\n", error));
      answer(text);
    }
    asio::read_until(socket, buffer, "\r\n.\r\n", error);
    has_mail_ = !error;
    while (!error) socket.read_some(asio::mutable_buffer{rest_.data(), rest_.size()}, error);
  }
  asio::io_context context_;
  tcp::acceptor acceptor_{context_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::array<char, 64> rest_{};
  std::atomic<bool> has_mail_ = false;
  std::jthread thread_{[this] { talk(); }};
};

OutgoingMessage message() {
  return {.id = {},
          .kind = "test",
          .sender = "no-reply@example.com",
          .recipient = "ada@example.com",
          .bytes = "Subject: x\r\n\r\nx\r\n"};
}

TEST(Smtp, no_answer_to_the_whole_mail_leaves_it_open_whether_it_was_delivered) {
  ThinkingServer server;
  Smtp smtp{{.url = {.protection = SmtpUrl::Protection::none, .host = "127.0.0.1", .port = server.port()},
             .username = {},
             .password = {},
             .ca_file = {},
             .send_timeout = std::chrono::seconds{30},
             .answer_timeout = std::chrono::seconds{1}}};
  const auto delivery = smtp.blocking_deliver(message(), [] { return true; });
  EXPECT_EQ(delivery.verdict, unsure);
  EXPECT_THAT(delivery.reason, testing::HasSubstr("may have been delivered"));
  EXPECT_TRUE(server.has_mail());
}

TEST(Smtp, whoever_may_not_go_on_stops_while_the_server_thinks) {
  ThinkingServer server;
  Smtp smtp{{.url = {.protection = SmtpUrl::Protection::none, .host = "127.0.0.1", .port = server.port()},
             .username = {},
             .password = {},
             .ca_file = {}}};
  const auto delivery = smtp.blocking_deliver(message(), [&] { return !server.has_mail(); });
  EXPECT_EQ(delivery.verdict, try_again);
  EXPECT_EQ(delivery.reason, "the attempt was cut short");
}

}  // namespace
}  // namespace keyward::mail
