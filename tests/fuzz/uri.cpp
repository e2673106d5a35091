// URLs that we are to ask (outbound/target): from settings and from providers' documents.
//
// Must hold: what is read, written out and read again, is the same; nothing of another host or another
// request gets into what is written; an address that is in no public network is told apart in the one
// spelling that it gets.
#include "base/limits.hpp"
#include "fuzz.hpp"
#include "outbound/target.hpp"
#include "text/ip_address.hpp"

namespace keyward::fuzz {

KEYWARD_FUZZ_TARGET(uri) {
  const std::string_view url = as_text(input);
  const auto target = outbound::parse_target(url);
  if (!target) {
    must_hold(is_sentence(target.error().message), "a refusal is a sentence");
    return;
  }
  must_hold(target->path_and_query.starts_with('/'), "a path begins with its slash");
  must_hold(url.ends_with(target->path_and_query) || url.ends_with(target->path_and_query.substr(1)),
            "path and query are the end of the URL, as it was written");
  must_hold(target->origin.find_first_of(" \t\r\n\\@#\"<>") == std::string::npos &&
                target->path_and_query.find_first_of(" \t\r\n\\#\"<>") == std::string::npos,
            "nothing that another reader takes for something else");
  must_hold(target->port != 0, "there is a port");

  const std::string written = target->origin + target->path_and_query;
  if (written.size() > limits::outbound_url_max_bytes) return;  // a slash more can be one too many
  const auto again = outbound::parse_target(written);
  must_hold(again.has_value(), "what was read can be read again");
  must_hold(again->tls == target->tls && again->host == target->host && again->port == target->port &&
                again->path_and_query == target->path_and_query && again->origin == target->origin,
            "and is the same");
  if (const auto address = text::IpAddress::parse(target->host)) {
    must_hold(address->to_text() == target->host, "an address stands in its one spelling");
  }
}

}  // namespace keyward::fuzz
