#include "web/engine/head.hpp"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <deque>
#include <string>
#include <utility>

namespace keyward::web::engine {
namespace {

using namespace std::string_literals;

const HeadLimits default_limits;

// What the session does with the bytes of one request: 0 when the head is right, otherwise the status.
unsigned status_of(std::string given, Head& head, const HeadLimits& limits = default_limits) {
  static std::deque<std::string> kept;  // a head's views point into its text
  const std::string_view text = kept.emplace_back(std::move(given));
  HeadFinder finder;
  const auto size = finder.find(text, limits);
  if (!size) return size.error().status;
  if (*size == 0) return 1;  // incomplete
  const auto refusal = check_head(text.substr(0, *size), limits, head);
  return refusal ? refusal->status : 0;
}
unsigned status_of(std::string text, const HeadLimits& limits = default_limits) {
  Head head;
  return status_of(std::move(text), head, limits);
}

struct Case {
  std::string name;
  std::string text;
  unsigned status;
};

std::string get(std::string_view headers) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string{headers} + "\r\n";
}
std::string line(std::string_view request_line) { return std::string{request_line} + "\r\nHost: a\r\n\r\n"; }
std::string host(std::string_view value) {
  return "GET / HTTP/1.1\r\nHost: " + std::string{value} + "\r\n\r\n";
}

const std::vector<Case> accepted = {
    {"plain", get(""), 0},
    {"query", line("GET /a?b=c&d HTTP/1.1"), 0},
    {"absolute", line("GET http://elsewhere:80/a HTTP/1.1"), 0},
    {"asterisk", line("OPTIONS * HTTP/1.1"), 0},
    {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0},
    {"a higher minor version", line("GET / HTTP/1.2"), 0},
    {"length", get("Content-Length: 5\r\n"), 0},
    {"length 0", get("Content-Length: 0\r\n"), 0},
    {"chunked", get("Transfer-Encoding: Chunked\r\n"), 0},
    {"empty value", get("X-A:\r\n"), 0},
    {"white space around the value", get("X-A: \t b \t\r\n"), 0},
    {"8-bit value", get("X-A: gr\xc3\xbc\xc3\x9f\r\n"), 0},
    {"identity", get("Content-Encoding: identity\r\n"), 0},
    {"host with a port", host("a.example:8080"), 0},
    {"host IPv4", host("127.0.0.1:8080"), 0},
    {"host IPv6", host("[::1]:8080"), 0},
};

const std::vector<Case> refused = {
    // Two lengths, and lengths that are none (RFC 9112 §6.3)
    {"both lengths", get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"both lengths, other order", get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
    {"two lengths", get("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
    {"two equal lengths", get("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
    {"list of lengths", get("Content-Length: 5, 5\r\n"), 400},
    {"negative length", get("Content-Length: -1\r\n"), 400},
    {"plus length", get("Content-Length: +1\r\n"), 400},
    {"hexadecimal length", get("Content-Length: 0x5\r\n"), 400},
    {"empty length", get("Content-Length:\r\n"), 400},
    {"length with a space inside", get("Content-Length: 1 2\r\n"), 400},
    {"overflowing length", get("Content-Length: 18446744073709551621\r\n"), 400},
    {"length of 19 digits", get("Content-Length: 1000000000000000000\r\n"), 400},
    {"fractional length", get("Content-Length: 1.0\r\n"), 400},
    // Transfer-Encoding
    {"gzip", get("Transfer-Encoding: gzip\r\n"), 400},
    {"gzip, chunked", get("Transfer-Encoding: gzip, chunked\r\n"), 400},
    {"chunked, identity", get("Transfer-Encoding: chunked, identity\r\n"), 400},
    {"chunked twice", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"chunked, chunked", get("Transfer-Encoding: chunked, chunked\r\n"), 400},
    {"xchunked", get("Transfer-Encoding: xchunked\r\n"), 400},
    {"quoted chunked", get("Transfer-Encoding: \"chunked\"\r\n"), 400},
    {"chunked with a vertical tab", get("Transfer-Encoding: \vchunked\r\n"), 400},
    {"empty encoding", get("Transfer-Encoding:\r\n"), 400},
    {"identity encoding", get("Transfer-Encoding: identity\r\n"), 400},
    {"chunked in 1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    // Lines and names
    {"obs-fold", get("X-A: b\r\n c\r\n"), 400},
    {"obs-fold with a tab", get("X-A: b\r\n\tc\r\n"), 400},
    {"space before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"one bare LF", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
    {"bare CR in a value", get("X-A: b\rX-B: c\r\n"), 400},
    {"CR CR LF", get("X-A: b\r\r\n"), 400},
    {"bare CR ends the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
    {"white space before the colon", get("X-A : b\r\n"), 400},
    {"tab before the colon", get("X-A\t: b\r\n"), 400},
    {"space inside the name", get("X A: b\r\n"), 400},
    {"empty name", get(": b\r\n"), 400},
    {"no colon", get("X-A\r\n"), 400},
    {"name with a slash", get("X/A: b\r\n"), 400},
    {"8-bit name", get("X-\xc3\xbc: b\r\n"), 400},
    {"NUL in a name", get("X-\0: b\r\n"s), 400},
    {"NUL in a value", get("X-A: b\0c\r\n"s), 400},
    {"escape in a value", get("X-A: \x1b[31m\r\n"), 400},
    {"DEL in a value", get("X-A: \x7f\r\n"), 400},
    {"empty line first", "\r\n" + get(""), 400},  // the session takes one away before
    // Host
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", get("Host: a\r\n"), 400},
    {"two Hosts that differ", get("hOST: b\r\n"), 400},
    {"empty Host", host(""), 400},
    {"Host with a path", host("a/b"), 400},
    {"Host with user information", host("me@a"), 400},
    {"Host with a list", host("a, b"), 400},
    {"Host with a space", host("a b"), 400},
    {"Host with a bad port", host("a:b"), 400},
    {"Host with a port too high", host("a:65536"), 400},
    {"Host with two ports", host("a:1:2"), 400},
    {"Host with half a bracket", host("[::1"), 400},
    {"Host with a bad IPv6", host("[::g]"), 400},
    // The request line
    {"no version", line("GET /"), 400},
    {"two spaces", line("GET  / HTTP/1.1"), 400},
    {"space at the end", line("GET / HTTP/1.1 "), 400},
    {"space at the start", line(" GET / HTTP/1.1"), 400},
    {"tab instead of a space", line("GET\t/\tHTTP/1.1"), 400},
    {"lower case version", line("GET / http/1.1"), 400},
    {"version of three digits", line("GET / HTTP/1.10"), 400},
    {"version without a minor", line("GET / HTTP/1"), 400},
    {"another protocol", line("GET / ICAP/1.1"), 400},
    {"version 2.0", line("GET / HTTP/2.0"), 505},
    {"version 0.9", line("GET / HTTP/0.9"), 505},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
    {"TLS", "\x16\x03\x01\x02"s, 400},
    {"space in the target", line("GET /a b HTTP/1.1"), 400},
    {"fragment", line("GET /a#b HTTP/1.1"), 400},
    {"8-bit target", line("GET /\xc3\xbc HTTP/1.1"), 400},
    {"control in the target", line("GET /\x01 HTTP/1.1"), 400},
    {"NUL in the target", line("GET /\0 HTTP/1.1"s), 400},
    {"relative target", line("GET a HTTP/1.1"), 400},
    {"authority form", line("GET a:80 HTTP/1.1"), 400},
    {"asterisk with GET", line("GET * HTTP/1.1"), 400},
    {"absolute with another scheme", line("GET ftp://a/ HTTP/1.1"), 400},
    {"absolute with user information", line("GET http://me@a/ HTTP/1.1"), 400},
    {"absolute without a host", line("GET http:///a HTTP/1.1"), 400},
    // Methods, expectations and encodings
    {"TRACE", line("TRACE / HTTP/1.1"), 405},
    {"CONNECT", line("CONNECT a:80 HTTP/1.1"), 405},
    {"unknown method", line("BREW / HTTP/1.1"), 501},
    {"lower case method", line("get / HTTP/1.1"), 501},
    {"method that is no token", line("G(T / HTTP/1.1"), 400},
    {"expectation", get("Expect: a-pony\r\n"), 417},
    {"gzipped body", get("Content-Encoding: gzip\r\n"), 415},
};

TEST(Head, H1_what_is_right_is_accepted) {
  for (const Case& c : accepted) EXPECT_EQ(status_of(c.text), 0U) << c.name;
}

TEST(Head, H1_what_could_be_read_in_two_ways_is_refused) {
  for (const Case& c : refused) EXPECT_EQ(status_of(c.text), c.status) << c.name;
}

// A second reader: what we accept, Beast's parser accepts, and reads the same method, target and length.
TEST(Head, H1_beast_reads_what_we_accept_the_same_way) {
  namespace http = boost::beast::http;
  for (const Case& c : accepted) {
    if (c.name == "a higher minor version") continue;  // Beast refuses it
    Head head;
    ASSERT_EQ(status_of(c.text, head), 0U) << c.name;
    http::request_parser<http::empty_body> parser;
    parser.skip(true);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(c.text), error);
    ASSERT_FALSE(error) << c.name << ": " << error.message();
    ASSERT_TRUE(parser.is_header_done()) << c.name;
    if (c.name != "absolute") EXPECT_EQ(std::string_view(parser.get().target()), head.target) << c.name;
    EXPECT_EQ(parser.chunked(), head.chunked) << c.name;
    EXPECT_EQ(parser.content_length().has_value() && !head.chunked, head.content_length_bytes.has_value())
        << c.name;
    EXPECT_EQ(parser.keep_alive(), head.keep_alive) << c.name;
  }
}

TEST(Head, says_what_was_sent) {
  Head head;
  const std::string text =
      "POST /a/b?c=d?e HTTP/1.1\r\nHost: a\r\nX-Request-Id: abcd-1234\r\nUser-Agent: me/1\r\nContent-Length: "
      "012\r\n"
      "Expect: 100-Continue\r\nX-Empty:\r\n\r\n";
  ASSERT_EQ(status_of(text, head), 0U);
  EXPECT_EQ(head.method, Method::post);
  EXPECT_EQ(head.target, "/a/b?c=d?e");
  EXPECT_EQ(head.path, "/a/b");
  EXPECT_EQ(head.query, "c=d?e");
  EXPECT_EQ(head.content_length_bytes, 12U);
  EXPECT_EQ(head.request_id, "abcd-1234");
  EXPECT_EQ(head.user_agent, "me/1");
  EXPECT_TRUE(head.expects_continue);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(head.headers.size(), 6U);
  EXPECT_EQ(head.headers[5].name, "X-Empty");
  EXPECT_EQ(head.headers[5].value, "");
}

TEST(Head, nothing_of_the_last_request_stays) {
  Head head;
  ASSERT_EQ(status_of(get("Content-Length: 5\r\nX-Request-Id: abcd-1234\r\nConnection: close\r\n"), head),
            0U);
  const std::string second = get("");
  ASSERT_EQ(status_of(second, head), 0U);
  EXPECT_FALSE(head.content_length_bytes);
  EXPECT_EQ(head.request_id, "");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.headers.size(), 1U);
}

TEST(Head, absolute_form_gives_the_path_alone) {
  Head head;
  ASSERT_EQ(status_of(line("GET HTTPS://elsewhere/a?b HTTP/1.1"), head), 0U);
  EXPECT_EQ(head.path, "/a");
  EXPECT_EQ(head.query, "b");
  ASSERT_EQ(status_of(line("GET http://elsewhere HTTP/1.1"), head), 0U);
  EXPECT_EQ(head.path, "/");
  ASSERT_EQ(status_of(line("GET http://elsewhere?b HTTP/1.1"), head), 0U);
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "b");
}

TEST(Head, keep_alive_follows_version_and_connection) {
  Head head;
  ASSERT_EQ(status_of("GET / HTTP/1.0\r\n\r\n", head), 0U);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(status_of("GET / HTTP/1.0\r\nConnection: TE, Keep-Alive\r\n\r\n", head), 0U);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(status_of(get("Connection: keep-alive\r\nConnection: x , close\r\n"), head), 0U);
  EXPECT_FALSE(head.keep_alive);
}

TEST(Head, a_callers_request_id_is_taken_only_when_well_formed) {
  for (const std::string& bad :
       {"short12"s, std::string(65, 'a'), "has space"s, "semi;colon"s, "<script>"s, ""s}) {
    Head head;
    ASSERT_EQ(status_of(get("X-Request-Id: " + bad + "\r\n"), head), 0U);
    EXPECT_EQ(head.request_id, "") << bad;
  }
  Head head;
  const std::string longest = get("X-Request-Id: " + std::string(64, 'a') + "\r\n");
  ASSERT_EQ(status_of(longest, head), 0U);
  EXPECT_EQ(head.request_id.size(), 64U);
}

TEST(Head, H2_each_limit_holds_to_the_byte) {
  const std::string uri(default_limits.uri_max_bytes - 1, 'a');
  EXPECT_EQ(status_of(line("GET /" + uri + " HTTP/1.1")), 0U);
  EXPECT_EQ(status_of(line("GET /a" + uri + " HTTP/1.1")), 414U);
  EXPECT_EQ(status_of("GET /" + std::string(default_limits.uri_max_bytes + 64, 'a')),
            414U);  // no end in sight

  std::string many;
  for (std::size_t i = 1; i < default_limits.header_max_count; ++i) many += "X: y\r\n";
  EXPECT_EQ(status_of(get(many)), 0U);
  EXPECT_EQ(status_of(get(many + "X: y\r\n")), 431U);

  const std::string fill(default_limits.header_max_bytes - get("X: \r\n").size(), 'y');
  EXPECT_EQ(status_of(get("X: " + fill + "\r\n")), 0U);
  EXPECT_EQ(status_of(get("X: y" + fill + "\r\n")), 431U);
}

TEST(Head, H1_the_refusal_is_the_same_however_the_bytes_arrive) {
  const std::string fill(default_limits.header_max_bytes, 'a');
  for (const auto& [text, status] : {std::pair{"GET /\r" + fill + " HTTP/1.1\r\n\r\n", 414U},
                                     std::pair{"GET /" + fill + " HTTP/1.1\n\n", 414U},
                                     std::pair{"GET / HTTP/1.1\r\nX: " + fill + "\n\n", 431U}}) {
    HeadFinder at_once;
    HeadFinder in_pieces;
    EXPECT_EQ(at_once.find(text, default_limits).error().status, status);
    std::size_t size = 1;
    while (in_pieces.find(std::string_view{text}.substr(0, size), default_limits)) ++size;
    EXPECT_EQ(in_pieces.find(std::string_view{text}.substr(0, size), default_limits).error().status, status);
  }
}

TEST(Head, the_end_is_found_however_the_bytes_arrive) {
  const std::string text = get("X-A: b\r\n");
  HeadFinder finder;
  for (std::size_t size = 1; size < text.size(); ++size) {
    ASSERT_EQ(finder.find(std::string_view{text}.substr(0, size), default_limits).value(), 0U);
  }
  EXPECT_EQ(finder.find(text + "GET", default_limits).value(), text.size());
}

}  // namespace
}  // namespace keyward::web::engine
