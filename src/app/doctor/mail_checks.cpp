// The mail server, as far as one can look without sending anything (RFC 5321 §4.1, RFC 3207).
#include <fmt/format.h>

#include "app/doctor/network_checks.hpp"
#include "base/limits.hpp"
#include "mail/smtp_url.hpp"
#include "web/tls/blocking_link.hpp"

namespace keyward::app {

namespace {

using mail::SmtpUrl;

/// A reply is over with a line that has a space behind its code.
bool is_whole_reply(std::string_view text) {
  if (!text.ends_with("\r\n")) return false;
  const auto before = text.substr(0, text.size() - 2).rfind("\r\n");
  const auto last = before == std::string_view::npos ? text : text.substr(before + 2);
  return last.size() > 3 && last[3] == ' ';
}

Result<std::string> expect(web::BlockingLink& link, std::string_view code) {
  auto reply = link.receive(limits::doctor_answer_max_bytes, is_whole_reply);
  if (!reply) return reply;
  if (!reply->starts_with(code))
    return fail(ErrorCode::unavailable, "answers " + cut_foreign(reply->substr(0, reply->find("\r\n"))));
  return reply;
}

Result<std::string> say(web::BlockingLink& link, std::string_view words, std::string_view code) {
  if (auto sent = link.send(words); !sent) return fail_from(sent);
  return expect(link, code);
}

bool offers(std::string_view reply, std::string_view extension) {
  return reply.contains(fmt::format("-{}", extension)) || reply.contains(fmt::format(" {}", extension));
}

/// What the server offers once the way to it is protected as it should be.
Result<std::string> greet(web::BlockingLink& link, const Config& config, const SmtpUrl& url,
                          const std::string& host) {
  constexpr std::string_view hello = "EHLO [127.0.0.1]\r\n";
  if (url.protection == SmtpUrl::Protection::tls) {
    if (auto started = link.start_tls(host, config.mail.ca_file); !started) return fail_from(started);
  }
  if (auto greeting = expect(link, "220"); !greeting) return greeting;
  auto offered = say(link, hello, "250");
  if (!offered || url.protection != SmtpUrl::Protection::starttls) return offered;
  if (!offers(*offered, "STARTTLS")) return fail(ErrorCode::unavailable, "does not offer STARTTLS");
  if (auto ready = say(link, "STARTTLS\r\n", "220"); !ready) return ready;
  if (auto started = link.start_tls(host, config.mail.ca_file); !started) return fail_from(started);
  return say(link, hello, "250");
}

}  // namespace

std::vector<Finding> check_mail_server(const Config& config) {
  Findings found{"mail"};
  if (config.mail.smtp_url.empty()) {
    found.note("no mail server is set: mails are files in the data folder's outbox", "set mail.smtp_url");
    return found.take();
  }
  const auto url = mail::parse_smtp_url(config.mail.smtp_url).value();
  const bool bracketed = url.host.starts_with('[');
  const auto host = bracketed ? url.host.substr(1, url.host.size() - 2) : url.host;
  const auto name = fmt::format("{}:{}", url.host, url.port);
  auto link = web::BlockingLink::connect(host, std::to_string(url.port), limits::doctor_network_timeout);
  if (!link) {
    found.error(fmt::format("{}: {}", name, link.error().message), "see mail.smtp_url; mails wait meanwhile");
    return found.take();
  }
  const auto offered = greet(**link, config, url, host);
  if (!offered) {
    found.error(fmt::format("{} {}", name, offered.error().message),
                "see mail.smtp_url; mails wait meanwhile");
    return found.take();
  }
  if ((*link)->distrust()) {
    found.error(fmt::format("the certificate of {} is not trusted: {}", name, *(*link)->distrust()),
                "see mail.ca_file; mails wait meanwhile");
  }
  if (!config.mail.username.empty() && !offers(*offered, "AUTH"))
    found.error(name + " takes no login, and mail.username is set",
                "leave it out, or use the port for senders");
  if (const auto parted = (*link)->send("QUIT\r\n"); !parted)
    found.note(name + " ends the connection after its greeting");
  found.otherwise_ok(name + " answers as mail.smtp_url wants it");
  return found.take();
}

}  // namespace keyward::app
