#include "app/doctor/settings_checks.hpp"

#include <fmt/format.h>

#include "web/client_address.hpp"

namespace keyward::app {

std::vector<Finding> check_proxy_trust(const Config& config) {
  Findings found{"proxy"};
  const auto& server = config.server;
  const bool behind_proxy = server.public_url.starts_with("https://") && !has_tls(config);
  if (!behind_proxy) {
    if (!server.trusted_proxies.empty())
      found.note("server.trusted_proxies is " + server.trusted_proxies.text() +
                     ", and the server seems to be reached directly",
                 "leave it out unless a proxy stands in between");
    found.otherwise_ok("no proxy is expected, and none is believed");
    return found.take();
  }
  if (server.trusted_proxies.empty()) {
    found.warning(
        "the public URL is https and this server speaks HTTP, so a proxy stands before it, and "
        "server.trusted_proxies is empty: all clients are counted as one",
        "list the addresses that the proxy connects from");
  }
  if (!is_loopback(server.listen.host) && !web::is_unlisted_proxy(server.listen.host, {})) {
    found.note(to_text(server.listen) + " may be reached past the proxy, in clear",
               "listen on 127.0.0.1 or a private address, or keep others out with a firewall");
  }
  found.otherwise_ok("the proxies at " + server.trusted_proxies.text() + " are believed in " +
                     server.proxy_header);
  return found.take();
}

std::vector<Finding> check_weak_settings(const Config& config) {
  Findings found{"settings"};
  const bool is_public = !is_of_this_machine(config.server.public_url);
  if (!config.limits.enabled) {
    constexpr std::string_view off = "limits.enabled is false: passwords can be guessed without end";
    constexpr std::string_view mend = "leave it out; it is for load tests";
    if (is_public) {
      found.error(std::string{off}, std::string{mend});
    } else {
      found.warning(std::string{off}, std::string{mend});
    }
  }
  if (config.tls.development && is_public) {
    found.error("tls.development makes a certificate that no browser trusts for " + config.server.public_url,
                "set tls.certificate and tls.key, or stand behind a proxy");
  }
  constexpr int strong_enough = 2;
  if (config.passwords.min_strength < strong_enough) {
    found.warning(fmt::format("passwords.min_strength is {}: well-known passwords are taken",
                              config.passwords.min_strength),
                  "set it to 2 or more");
  }
  constexpr std::chrono::minutes usual_lifetime{15};
  if (config.tokens.access_token_lifetime_s > usual_lifetime) {
    found.note(fmt::format("access tokens live {} s: other servers believe them so long after a logout",
                           config.tokens.access_token_lifetime_s.count()),
               "tokens.access_token_lifetime_s = 900");
  }
  if (config.audit.email == "plain")
    found.warning("audit.email is plain: addresses of people stand in logs", "set it to hashed or off");
  if (config.mail.allow_clear_text)
    found.warning("mail.allow_clear_text is true: links that work for accounts cross the network in clear",
                  "use smtps:// or smtp+starttls://");
  if (config.registration.verification == "off")
    found.note("registration.verification is off: an account's address may be somebody else's",
               "set it to optional or required");
  if (const auto& listen = config.server.management_listen;
      listen && !is_loopback(listen->host) && !web::is_unlisted_proxy(listen->host, {})) {
    found.note("server.management_listen is " + to_text(*listen) + ": whoever reaches it reads the metrics",
               "listen on 127.0.0.1 or a private address, or keep others out with a firewall");
  }
  if (config.log.level == LogLevel::debug) found.note("log.level is debug", "set it to info");
  for (const auto& warning : config.warnings) found.warning(warning, "see docs/operations.md");
  found.otherwise_ok("no setting is weaker than its default");
  return found.take();
}

}  // namespace keyward::app
