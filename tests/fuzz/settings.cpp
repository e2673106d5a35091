// Settings that are more than a number or a word: addresses to listen at, origins, and the URLs of mail
// servers, Redis and databases (app/config, mail/smtp_url, redis/address, storage/postgres/url).
//
// Must hold: what is read prints back and is read as the same; what is shown of a Redis repeats no password.
#include "app/config/listen_address.hpp"
#include "app/config/storage_url.hpp"
#include "fuzz.hpp"
#include "mail/smtp_url.hpp"
#include "redis/address.hpp"

namespace keyward::fuzz {
namespace {

void check_listen(std::string_view text) {
  const auto address = app::parse_listen_address(text);
  if (!address) return must_hold(is_sentence(address.error()), "a refusal is a sentence");
  const auto again = app::parse_listen_address(app::to_text(*address));
  must_hold(again && *again == *address, "an address prints back as itself");
  const auto url = app::parse_public_url(app::public_url_of(*address, true));
  must_hold(url.has_value() || address->port == 0, "it has a URL");
}

void check_origin(std::string_view text) {
  const auto origin = app::parse_public_url(text);
  if (!origin) return must_hold(is_sentence(origin.error()), "a refusal is a sentence");
  const auto again = app::parse_public_url(*origin);
  must_hold(again && *again == *origin, "an origin read twice is the same");
  must_hold(origin->find_first_of(" \t\r\n@#?\\", 0) == std::string::npos && !origin->ends_with('/'),
            "and plain");
  (void)app::is_of_this_machine(*origin);
  (void)app::is_clear_text_url(*origin);
}

void check_smtp(std::string_view text) {
  const auto url = mail::parse_smtp_url(text);
  if (!url) return must_hold(is_sentence(url.error()), "a refusal is a sentence");
  must_hold(url->port != 0 && !url->host.empty() && text.contains(url->host),
            "a mail server has a host and a port");
  must_hold(url->host.find_first_of("@/?#\\ \r\n") == std::string::npos, "a host and nothing else");
  (void)mail::is_this_machine(*url);
}

void check_redis(std::string_view text) {
  const auto address = redis::parse_url(text);
  if (!address) return must_hold(is_sentence(address.error().message), "a refusal is a sentence");
  must_hold(!address->host.empty() || !address->socket_path.empty(), "a Redis is somewhere");
  must_hold(address->database >= 0, "a database has a number");
  const std::string password{address->password.text()};
  const std::string shown = redis::shown_url(text);
  if (password.size() >= 8 && !address->user.contains(password) &&
      std::string_view{text}.find(password) == std::string_view{text}.rfind(password)) {
    must_hold(!shown.contains(password), "what is shown has no password");
  }
  (void)redis::is_in_clear(*address);
  must_hold(!redis::to_text(*address).empty(), "it has a name");
}

void check_storage(std::string_view text) {
  const auto url = app::parse_storage_url(text);
  if (!url) return must_hold(is_sentence(url.error()), "a refusal is a sentence");
  if (app::is_postgres(*url)) (void)app::is_open_to_impostors(*url);
  const std::string shown = app::to_text(*url);
  must_hold(shown.empty() == text.empty(), "what is there is shown");
}

}  // namespace

KEYWARD_FUZZ_TARGET(settings) {
  const std::string_view text = as_text(input);
  check_listen(text);
  check_origin(text);
  check_smtp(text);
  check_redis(text);
  check_storage(text);
}

}  // namespace keyward::fuzz
