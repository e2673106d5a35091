#include "app/doctor/network_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "app/doctor/data_checks.hpp"
#include "base/limits.hpp"
#include "mail/smtp_url.hpp"
#include "web/tls/blocking_link.hpp"
#include "web/tls/certificate_report.hpp"

namespace keyward::app {

namespace {

struct Place {
  bool tls = false;
  std::string host;  // without brackets
  std::string port;
};

/// Of a URL that parse_public_url() has made.
Place place_of(std::string_view url) {
  constexpr std::string_view over_tls = "https://";
  constexpr std::string_view in_clear = "http://";
  Place place{.tls = url.starts_with(over_tls)};
  url.remove_prefix(place.tls ? over_tls.size() : in_clear.size());
  const auto bracket = url.find(']');
  const auto colon = url.find(':', bracket == std::string_view::npos ? 0 : bracket);
  place.port = colon == std::string_view::npos ? (place.tls ? "443" : "80") : url.substr(colon + 1);
  place.host = bracket == std::string_view::npos ? url.substr(0, colon) : url.substr(1, bracket - 1);
  return place;
}

void judge_end(Findings& found, std::string_view whose, Time expires_at, Time now) {
  const auto left = std::chrono::floor<std::chrono::days>(expires_at - now);
  if (expires_at <= now) {
    found.error(fmt::format("{} expired at {}", whose, to_rfc3339(expires_at)), "renew it");
  } else if (expires_at - now < limits::doctor_certificate_warning) {
    found.warning(fmt::format("{} expires in {} days", whose, left.count()),
                  "renew it, and see why nothing did");
  }
}

std::string_view header_of(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  if (at == std::string_view::npos) return {};
  head.remove_prefix(at + name.size());
  return head.substr(0, head.find("\r\n"));
}

/// The answer's head, or its whole text as far as the limit goes.
Result<std::string> get(const Place& place, const std::string& url, std::string_view path,
                        std::unique_ptr<web::BlockingLink>& link) {
  auto opened = web::BlockingLink::connect(place.host, place.port, limits::doctor_network_timeout);
  if (!opened) return fail_from(opened);
  link = std::move(*opened);
  if (place.tls) {
    if (auto started = link->start_tls(place.host, {}); !started) return fail_from(started);
  }
  const auto authority = url.substr(url.find("://") + 3);
  auto sent =
      link->send(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, authority));
  if (!sent) return fail_from(sent);
  return link->receive(limits::doctor_answer_max_bytes, [](std::string_view) { return false; });
}

void judge_version(Findings& found, const Place& place, const std::string& url) {
  std::unique_ptr<web::BlockingLink> link;
  const auto description = get(place, url, "/openapi.json", link);
  constexpr std::string_view mark = "\"version\":\"";
  const auto at = description ? description->find(mark) : std::string::npos;
  if (at == std::string::npos) {
    found.warning("what answers there is another server, or a proxy that does not reach this one",
                  "look where the proxy sends requests on");
    return;
  }
  const auto version =
      description->substr(at + mark.size(), description->find('"', at + mark.size()) - at - mark.size());
  if (version != KEYWARD_VERSION) {
    found.warning(fmt::format("version {} runs there, and this is {}", cut_foreign(version), KEYWARD_VERSION),
                  "restart the server after an upgrade");
  }
}

}  // namespace

std::optional<Time> parse_http_date(std::string_view text) {
  std::tm parts{};
  const std::string terminated{text};
  const char* const end = strptime(terminated.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return from_unix_s(timegm(&parts));
}

std::vector<Finding> check_public_url(const Config& config, const Clock& clock) {
  Findings found{"public-url"};
  const auto& url = config.server.public_url;
  if (is_clear_text_url(url))
    found.error(url + " is not https: passwords cross the network in clear",
                "set up TLS and name it https://");
  if (config.tokens.issuer != url) {
    found.note(
        fmt::format("tokens name {} as their issuer, and the public URL is {}", config.tokens.issuer, url),
        "leave tokens.issuer out unless other servers expect it so");
  }
  const auto place = place_of(url);
  std::unique_ptr<web::BlockingLink> link;
  const auto asked_at = clock.now();
  const auto answer = get(place, url, "/livez", link);
  const auto answered_at = clock.now();
  if (!answer) {
    found.note(fmt::format("{}: {}", url, answer.error().message),
               "start the server, or see the name and the proxy");
    return found.take();
  }
  const auto head = std::string_view{*answer}.substr(0, answer->find("\r\n\r\n"));
  if (!head.starts_with("HTTP/1.1 200") && !head.starts_with("HTTP/1.0 200")) {
    found.warning(fmt::format("{}/livez answers {}", url, cut_foreign(head.substr(0, head.find("\r\n")))),
                  "look where the proxy sends requests on");
  } else {
    judge_version(found, place, url);
  }
  if (link->distrust() && !config.tls.development)
    found.error(fmt::format("the certificate at {} is not trusted: {}", url, *link->distrust()),
                "serve a chain to an authority that browsers know");
  if (const auto end = link->certificate_expires_at(); end && !config.tls.development)
    judge_end(found, "the certificate at " + url, *end, answered_at);
  found.otherwise_ok(url + " answers, and it is this version");
  auto all = found.take();
  if (const auto date = parse_http_date(header_of(head, "\r\nDate: ")))
    std::ranges::move(
        judge_clocks("the public URL's", *date,
                     {.from = std::chrono::floor<std::chrono::seconds>(asked_at), .to = answered_at}),
        std::back_inserter(all));
  return all;
}

std::vector<Finding> check_certificate(const Config& config, Time now) {
  Findings found{"certificate"};
  if (config.tls.certificate.empty()) return found.take();
  const auto host = place_of(config.server.public_url).host;
  const auto report = web::report_certificate({config.tls.certificate, config.tls.key}, host, now);
  if (!report) {
    found.error(report.error().message, "the server does not start with it: see tls.certificate and tls.key");
    return found.take();
  }
  if (!report->names_host) {
    found.error(fmt::format("it does not name {}, the host of the public URL", host),
                "get one that does, or correct server.public_url");
  }
  if (report->chain_fault) {
    found.warning("this machine does not trust it: " + *report->chain_fault,
                  "put the certificates that it hangs on behind it in the file; for an authority of your own "
                  "it is enough that clients know it");
  }
  judge_end(found, "it", report->expires_at, now);
  found.otherwise_ok(fmt::format("it names {} and is good until {}", host, to_rfc3339(report->expires_at)));
  return found.take();
}

}  // namespace keyward::app
