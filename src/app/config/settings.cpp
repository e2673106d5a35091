#include "app/config/settings.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace keyward::app {
namespace {

// The accessor of one member: KEYWARD_AT(server.listen) is a function from a Config to the address of its
// server.listen.
#define KEYWARD_AT(member) [](Config& config) -> Target { return &config.member; }

constexpr std::array<std::string_view, 4> algorithms{"ES256", "EdDSA", "RS256", "PS256"};
constexpr std::array<std::string_view, 3> emails_in_events{"off", "hashed", "plain"};
constexpr std::array<std::string_view, 2> proxy_headers{"x-forwarded-for", "forwarded"};
constexpr std::array<std::string_view, 3> verifications{"off", "optional", "required"};
constexpr std::array<std::string_view, 4> limit_stores{"auto", "memory", "database", "redis"};
constexpr std::array<std::string_view, 2> limit_fallbacks{"database", "memory"};
constexpr std::int64_t minute_s = 60;
constexpr std::int64_t hour_s = 60 * minute_s;
constexpr std::int64_t day_s = 24 * hour_s;
constexpr std::int64_t year_s = 365 * day_s;

const std::array all_settings{
    Setting{.key = "server.listen",
            .help = "Where to listen. Port 0 takes a free one.",
            .target = KEYWARD_AT(server.listen)},
    Setting{.key = "server.public_url",
            .help = "The origin under which browsers and applications reach this server.",
            .target = KEYWARD_AT(server.public_url),
            .is_public_url = true,
            .derived_from = "http:// and the listen address"},
    Setting{.key = "server.loops",
            .help = "Event loops, a thread each; 0 is one per core.",
            .target = KEYWARD_AT(server.loops),
            .max = 1024},
    Setting{.key = "server.body_max_bytes",
            .help = "The largest request body that is taken.",
            .target = KEYWARD_AT(server.body_max_bytes),
            .min = 1024,
            .max = 16 * 1024 * 1024},
    Setting{.key = "server.connections_max",
            .help = "Connections open at a time at server.listen.",
            .target = KEYWARD_AT(server.connections_max),
            .min = 1,
            .max = 1'000'000},
    Setting{.key = "server.connections_per_address_max",
            .help = "Of these, from one address (an IPv6 /64) but trusted proxies and 127.0.0.1.",
            .target = KEYWARD_AT(server.connections_per_address_max),
            .min = 1,
            .max = 1'000'000},
    Setting{.key = "server.header_timeout_s",
            .help = "Seconds for the head of a request to arrive.",
            .target = KEYWARD_AT(server.header_timeout_s),
            .min = 1,
            .max = hour_s},
    Setting{.key = "server.body_timeout_s",
            .help = "Seconds for the body of a request to arrive.",
            .target = KEYWARD_AT(server.body_timeout_s),
            .min = 1,
            .max = hour_s},
    Setting{.key = "server.idle_timeout_s",
            .help = "Seconds that a connection may wait between two requests.",
            .target = KEYWARD_AT(server.idle_timeout_s),
            .min = 1,
            .max = hour_s},
    Setting{.key = "server.write_timeout_s",
            .help = "Seconds for an answer to be taken by its reader.",
            .target = KEYWARD_AT(server.write_timeout_s),
            .min = 1,
            .max = hour_s},
    Setting{.key = "server.drain_deadline_s",
            .help = "Seconds that requests under way have to finish after SIGTERM.",
            .target = KEYWARD_AT(server.drain_deadline_s),
            .max = hour_s},
    Setting{.key = "server.drain_delay_s",
            .help =
                "Seconds after SIGTERM in which /readyz says 503 and everything else is served as before, so "
                "that load balancers take this node out first.",
            .target = KEYWARD_AT(server.drain_delay_s),
            .max = hour_s},
    Setting{.key = "server.management_listen",
            .help = "A second address, in clear, for /metrics, /livez and /readyz; the first one then has no "
                    "/metrics. Not to be reached from outside.",
            .target = KEYWARD_AT(server.management_listen),
            .derived_from = "none: /metrics at server.listen, for this machine alone"},
    Setting{.key = "server.access_log",
            .help = "Log a line for each request.",
            .target = KEYWARD_AT(server.access_log)},
    Setting{.key = "server.trusted_proxies",
            .help = "The proxies whose word about the client's address counts; everyone else's is ignored.",
            .target = KEYWARD_AT(server.trusted_proxies)},
    Setting{.key = "server.proxy_header",
            .help = "The one header in which those proxies say it; they must set it themselves.",
            .target = KEYWARD_AT(server.proxy_header),
            .choices = proxy_headers},
    Setting{.key = "server.cors_origins",
            .help = "Origins of web applications whose pages in a browser may read the API's answers.",
            .target = KEYWARD_AT(server.cors_origins)},
    Setting{.key = "tls.certificate",
            .help =
                "PEM file with the server's certificate and those it hangs on: server.listen speaks HTTPS. "
                "A renewed file is taken up while the server runs.",
            .target = KEYWARD_AT(tls.certificate),
            .derived_from = "none: HTTP, for this machine or behind a proxy"},
    Setting{.key = "tls.key",
            .help = "PEM file with the certificate's private key, not readable by everybody.",
            .target = KEYWARD_AT(tls.key),
            .derived_from = "none"},
    Setting{
        .key = "tls.development",
        .help = "HTTPS with a certificate for localhost made in the data folder, which no browser trusts.",
        .target = KEYWARD_AT(tls.development)},
    Setting{.key = "tls.redirect_listen",
            .help = "A second address, in clear, that sends GET and HEAD on to the public URL and refuses "
                    "everything else.",
            .target = KEYWARD_AT(tls.redirect_listen),
            .derived_from = "none"},
    Setting{.key = "storage.data",
            .help = "The folder of the database and of the keys. Not on a network file system.",
            .target = KEYWARD_AT(storage.data)},
    Setting{.key = "storage.url",
            .help = "The database: PostgreSQL 15 or newer, or SQLite.",
            .target = KEYWARD_AT(storage.url),
            .derived_from = "keyward.db in the data folder"},
    Setting{.key = "storage.readers",
            .help = "Connections that read, a thread each.",
            .target = KEYWARD_AT(storage.readers),
            .min = 1,
            .max = 64},
    Setting{.key = "storage.writers",
            .help = "Connections that write to PostgreSQL, a thread each. SQLite has one.",
            .target = KEYWARD_AT(storage.writers),
            .min = 1,
            .max = 64},
    Setting{.key = "storage.sweep_interval_s",
            .help = "How often old sessions, links and mails are removed, by one node of all.",
            .target = KEYWARD_AT(storage.sweep_interval_s),
            .min = 1,
            .max = 86'400},
    Setting{.key = "redis.url",
            .help =
                "Redis or Valkey that several nodes share: redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], "
                "rediss:// with TLS, or unix:///PATH (docs/redis.md). Best given as KEYWARD_REDIS_URL_FILE.",
            .target = KEYWARD_AT(redis.url),
            .derived_from = "none"},
    Setting{.key = "redis.ca_file",
            .help = "PEM file with the authorities that a rediss:// server's certificate must come from.",
            .target = KEYWARD_AT(redis.ca_file),
            .derived_from = "the system's"},
    Setting{.key = "secrets.master_key",
            .help = "The key that encrypts the signing keys. Best given as KEYWARD_MASTER_KEY_FILE.",
            .target = KEYWARD_AT(secrets.master_key),
            .derived_from = "made once, in the data folder",
            .short_variable = "KEYWARD_MASTER_KEY"},
    Setting{.key = "tokens.issuer",
            .help = "`iss` of every token.",
            .target = KEYWARD_AT(tokens.issuer),
            .derived_from = "the public URL"},
    Setting{.key = "tokens.audience",
            .help = "`aud` of every access token.",
            .target = KEYWARD_AT(tokens.audience),
            .derived_from = "the issuer"},
    Setting{.key = "tokens.access_token_lifetime_s",
            .help = "Seconds that an access token is valid.",
            .target = KEYWARD_AT(tokens.access_token_lifetime_s),
            .min = minute_s,
            .max = hour_s},
    Setting{.key = "tokens.algorithm",
            .help = "The signature of new keys; old keys keep theirs.",
            .target = KEYWARD_AT(tokens.algorithm),
            .choices = algorithms},
    Setting{.key = "tokens.key_max_age_days",
            .help = "Days after which a signing key is replaced.",
            .target = KEYWARD_AT(tokens.key_max_age_days),
            .min = 1,
            .max = 3650},
    Setting{.key = "tokens.refresh_idle_s",
            .help = "Seconds that a refresh token lives unused.",
            .target = KEYWARD_AT(tokens.refresh_idle_s),
            .min = minute_s,
            .max = year_s},
    Setting{.key = "tokens.refresh_absolute_s",
            .help = "Seconds after the login when a session ends, however often it was refreshed.",
            .target = KEYWARD_AT(tokens.refresh_absolute_s),
            .min = minute_s,
            .max = 5 * year_s},
    Setting{.key = "tokens.refresh_grace_s",
            .help = "Seconds in which a refresh token that was just replaced is answered again, for two tabs "
                    "and lost answers. 0: never; each token is good for one call.",
            .target = KEYWARD_AT(tokens.refresh_grace_s),
            .max = minute_s},
    Setting{.key = "passwords.min_length",
            .help = "Code points that a password must have. NIST SP 800-63B-4 asks for 15 where it is the "
                    "only factor.",
            .target = KEYWARD_AT(passwords.min_length),
            .min = 8,
            .max = 64},
    Setting{.key = "passwords.min_strength",
            .help = "The least strength of a new password, on zxcvbn's scale.",
            .target = KEYWARD_AT(passwords.min_strength),
            .max = 4},
    Setting{.key = "passwords.argon2_memory_kib",
            .help = "Memory of one password hash. With 1 iteration at least 47104.",
            .target = KEYWARD_AT(passwords.argon2_memory_kib),
            .min = 19456,
            .max = 4 * 1024 * 1024},
    Setting{.key = "passwords.argon2_iterations",
            .help = "Passes of one password hash over its memory.",
            .target = KEYWARD_AT(passwords.argon2_iterations),
            .min = 1,
            .max = 64},
    Setting{.key = "passwords.hash_threads",
            .help = "Threads that hash; 0 is one per core, and more than that is slower.",
            .target = KEYWARD_AT(passwords.hash_threads),
            .max = 1024},
    Setting{.key = "passwords.queue_max",
            .help = "Hashes that may wait; above that the answer is 503 with Retry-After.",
            .target = KEYWARD_AT(passwords.queue_max),
            .min = 1,
            .max = 100'000},
    Setting{.key = "registration.verification",
            .help =
                "Whether a new account's e-mail address is verified by a mail: not at all, without waiting "
                "for it, or before the first login. With required nobody is told which addresses have an "
                "account.",
            .target = KEYWARD_AT(registration.verification),
            .choices = verifications},
    Setting{.key = "limits.enabled",
            .help = "Rate limits. Off only for load tests; every start says so in the log.",
            .target = KEYWARD_AT(limits.enabled)},
    Setting{.key = "limits.store",
            .help = "Where limits are counted. auto: redis where redis.url is set, else database with "
                    "PostgreSQL, else memory.",
            .target = KEYWARD_AT(limits.store),
            .choices = limit_stores},
    Setting{.key = "limits.fallback",
            .help =
                "What counts password attempts while Redis is away. database: it counts them always, and no "
                "attempt is won by it; memory: each node for itself.",
            .target = KEYWARD_AT(limits.fallback),
            .choices = limit_fallbacks},
    Setting{.key = "limits.login_attempts",
            .help = "Wrong passwords that an account may have in a window; then it is 429 for everybody but "
                    "the owner's known devices.",
            .target = KEYWARD_AT(limits.login_attempts),
            .min = 1,
            .max = 20},
    Setting{.key = "limits.login_window_s",
            .help = "Seconds from the first wrong password until they are forgotten.",
            .target = KEYWARD_AT(limits.login_window_s),
            .min = 1,
            .max = day_s},
    Setting{.key = "limits.login_address_attempts",
            .help = "Wrong passwords from one client address (IPv6: its /64) in the same window.",
            .target = KEYWARD_AT(limits.login_address_attempts),
            .min = 1,
            .max = 1'000'000},
    Setting{.key = "limits.register_per_hour",
            .help = "Registrations that one client address may try in an hour.",
            .target = KEYWARD_AT(limits.register_per_hour),
            .min = 1,
            .max = 1'000'000},
    Setting{.key = "limits.refresh_per_minute",
            .help = "Refreshes from one client address in a minute; many people may share one.",
            .target = KEYWARD_AT(limits.refresh_per_minute),
            .min = 1,
            .max = 1'000'000},
    Setting{.key = "limits.forgot_per_hour",
            .help = "Mails to reset a password or to verify an address that one client address may ask for "
                    "in an hour.",
            .target = KEYWARD_AT(limits.forgot_per_hour),
            .min = 1,
            .max = 1'000'000},
    Setting{.key = "limits.proofs_per_minute",
            .help = "Links and codes of mails that one client address may present in a minute.",
            .target = KEYWARD_AT(limits.proofs_per_minute),
            .min = 1,
            .max = 1'000'000},
    Setting{.key = "limits.account_mails_per_hour",
            .help =
                "Mails of one kind that one address gets in an hour because somebody asked for them; what "
                "is beyond is dropped in silence.",
            .target = KEYWARD_AT(limits.account_mails_per_hour),
            .min = 1,
            .max = 1000},
    Setting{.key = "audit.email",
            .help = "How security events tell of e-mail addresses: not at all, as a keyed hash, or plain.",
            .target = KEYWARD_AT(audit.email),
            .choices = emails_in_events},
    Setting{.key = "mail.smtp_url",
            .help = "The mail server: smtps://HOST or smtp+starttls://HOST, each with :PORT if need be.",
            .target = KEYWARD_AT(mail.smtp_url),
            .derived_from = "none: mails are files outbox/*.eml in the data folder"},
    Setting{.key = "mail.username",
            .help = "For a mail server that wants a login.",
            .target = KEYWARD_AT(mail.username),
            .derived_from = "none"},
    Setting{.key = "mail.password",
            .help = "Of mail.username. Best given as KEYWARD_MAIL_PASSWORD_FILE.",
            .target = KEYWARD_AT(mail.password),
            .derived_from = "none"},
    Setting{.key = "mail.from",
            .help = "Who mails are from: ADDRESS or NAME <ADDRESS>. Needed with mail.smtp_url.",
            .target = KEYWARD_AT(mail.from),
            .derived_from = "no-reply@ and the host of the public URL"},
    Setting{.key = "mail.ca_file",
            .help = "PEM file with the authorities that the mail server's certificate must come from.",
            .target = KEYWARD_AT(mail.ca_file),
            .derived_from = "the system's"},
    Setting{.key = "mail.templates",
            .help = "A folder with templates of your own laid over ours file by file (docs/mail.md).",
            .target = KEYWARD_AT(mail.templates),
            .derived_from = "none: the ones in the binary"},
    Setting{.key = "mail.locale",
            .help = "The language of mails to people who have said none; there are en and de.",
            .target = KEYWARD_AT(mail.locale)},
    Setting{.key = "mail.service_name",
            .help = "What the service is called in mails.",
            .target = KEYWARD_AT(mail.service_name)},
    Setting{.key = "mail.allow_clear_text",
            .help = "Take smtp:// without TLS also for a server that is not this machine.",
            .target = KEYWARD_AT(mail.allow_clear_text)},
    Setting{.key = "mail.threads",
            .help = "Mails that are sent at a time.",
            .target = KEYWARD_AT(mail.threads),
            .min = 1,
            .max = 32},
    Setting{.key = "mail.send_timeout_s",
            .help = "Seconds for one mail to be taken by the server.",
            .target = KEYWARD_AT(mail.send_timeout_s),
            .min = 1,
            .max = 10 * minute_s},
    Setting{.key = "mail.poll_interval_s",
            .help = "Seconds after which a mail that another process left is seen at the latest.",
            .target = KEYWARD_AT(mail.poll_interval_s),
            .min = 1,
            .max = hour_s},
    Setting{.key = "log.level", .help = "The least level that is logged.", .target = KEYWARD_AT(log.level)},
};

#undef KEYWARD_AT

// Changes of one character (insert, delete, replace) that make one text of the other.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string_view after_dot(std::string_view key) {
  const auto dot = key.find('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

}  // namespace

std::span<const Setting> settings() { return all_settings; }

const Setting* find_setting(std::string_view key) {
  const auto* found = std::ranges::find(all_settings, key, &Setting::key);
  return found == all_settings.end() ? nullptr : found;
}

std::string variable_of(const Setting& setting) {
  std::string name = "KEYWARD_";
  for (const char c : setting.key)
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

bool is_secret(const Setting& setting) {
  Config scratch;
  const Target target = setting.target(scratch);
  return std::holds_alternative<MasterKey*>(target) || std::holds_alternative<StorageUrl*>(target) ||
         std::holds_alternative<Secret*>(target);
}

std::string_view nearest_setting(std::string_view key) {
  // A right name in the wrong section (or in none) is near too, but less near than a slip of the pen.
  const auto distance = [&](const Setting& setting) {
    const std::size_t whole = edit_distance(key, setting.key);
    const std::size_t name = edit_distance(after_dot(key), after_dot(setting.key)) * 2 + 2;
    return std::min(whole, name);
  };
  return std::ranges::min_element(all_settings, {}, distance)->key;
}

}  // namespace keyward::app
