// What is written into heads: our answers (web/engine/answer), and our requests to others (outbound/head).
//
// Line by line: names and values of fields, as a handler with outside texts in its hands might set them. Must
// hold: what may be sent is one head, every line of it with its name, and no text begins another line; the
// rest is refused. And what others say of freshness is a length of time.
#include "fuzz.hpp"
#include "outbound/head.hpp"
#include "web/engine/answer.hpp"

namespace keyward::fuzz {
namespace {

/// As another reader would count them; one with a bare line end is no head.
void check_head(std::string_view head) {
  must_hold(head.ends_with("\r\n\r\n"), "a head ends with an empty line");
  must_hold(head.find("\r\n\r\n") == head.size() - 4, "and has no other");
  std::size_t lines = 0;
  for (std::size_t at = 0; at < head.size(); ++lines) {
    const auto end = head.find("\r\n", at);
    const auto line = head.substr(at, end - at);
    must_hold(line.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos,
              "no text begins a line");
    must_hold(lines == 0 || line.empty() || line.find(':') != std::string_view::npos,
              "every line has its name");
    at = end + 2;
  }
}

void check_answer(Input given) {
  static web::engine::AnswerWriter writer{true};
  web::Response response;
  response.status = static_cast<unsigned>(given.below(700));
  const web::engine::AnswerFacts facts{given.flag(), given.flag(), given.flag(),
                                       "0193a5f0-0000-7000-8000-000000000001"};
  while (!given.empty()) {
    const auto name = given.line();
    response.headers.emplace_back(name, given.line());
  }
  response.headers.emplace_back("X-Last", "1");
  if (!web::engine::AnswerWriter::is_sendable(response)) return;
  std::string head;
  writer.append_head(head, response, facts);
  check_head(head);
  must_hold(head.contains("\r\nX-Last: 1\r\n"), "no field is lost");
}

void check_request(Input given) {
  outbound::Request request;
  if (given.flag()) request.form = given.line();
  while (!given.empty()) {
    const auto name = given.line();
    request.fields.push_back({std::string{name}, std::string{given.line()}});
  }
  const outbound::Target target{true, "idp.example", 443, "/token?a=1", "https://idp.example"};
  const auto written = outbound::write_request(target, request);
  if (!written)
    return must_hold(is_sentence(written.error().detail) || written.error().detail.empty(),
                     "why not is told");
  std::string_view head = written->text();
  if (request.form) {
    must_hold(head.ends_with(*request.form), "a form is the end of a request");
    head.remove_suffix(request.form->size());
  }
  check_head(head);
  for (const auto& field : request.fields) {
    must_hold(head.contains("\r\n" + field.name + ": " + field.value + "\r\n"), "no field is lost");
  }
}

}  // namespace

KEYWARD_FUZZ_TARGET(http_answers) {
  check_answer(Input{input});
  check_request(Input{input});
  std::optional<std::chrono::seconds> max_age;
  outbound::read_cache_control(as_text(input), max_age);
  must_hold(!max_age || max_age->count() >= 0, "an age is no less than nothing");
  must_hold(outbound::read_age(as_text(input)).count() >= 0, "so is the age that a cache tells");
  (void)outbound::media_type_of(as_text(input));
}

}  // namespace keyward::fuzz
