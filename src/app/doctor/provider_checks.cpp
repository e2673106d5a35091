#include "app/doctor/provider_checks.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <optional>

#include "app/providers.hpp"
#include "base/limits.hpp"
#include "outbound/client.hpp"
#include "protocol/oidc/provider_metadata.hpp"
#include "runtime/task.hpp"

namespace keyward::app {

namespace {

using Asked = std::optional<outbound::Fetched<outbound::Answer>>;

Task<void> ask(outbound::Client* client, outbound::Request request, Asked* answer) {
  answer->emplace(co_await client->send(std::move(request)));
}

/// Nothing: not in time.
Asked blocking_ask(outbound::Request request) {
  boost::asio::io_context loop{1};
  Asked answer;
  outbound::Client client;  // goes before the loop
  spawn(loop.get_executor(), ask(&client, std::move(request), &answer), "doctor");
  loop.run_for(limits::doctor_network_timeout);
  return answer;
}

void check_metadata(Findings& found, const features::Provider& provider) {
  constexpr std::string_view mend = "see that its issuer is right and that this machine may reach it";
  const auto url = protocol::oidc::metadata_url(provider.issuer);
  const auto answer = blocking_ask({.url = url, .trust = provider.trust});
  if (!answer)
    return found.error(fmt::format("{}: {} does not answer in time", provider.name, url), std::string{mend});
  if (!*answer) {
    return found.error(
        fmt::format("{}: {}: {} {}", provider.name, url, outbound::to_word(answer->error().refusal),
                    cut_foreign(answer->error().detail)),
        std::string{mend});
  }
  if (constexpr unsigned ok = 200; (*answer)->status != ok)
    return found.error(fmt::format("{}: {} answers with status {}", provider.name, url, (*answer)->status),
                       std::string{mend});
  const auto metadata = protocol::oidc::parse_provider_metadata((*answer)->body, provider.issuer,
                                                                provider.trust->clear_text_loopback);
  if (!metadata) {
    return found.error(fmt::format("{}: what {} says is refused: {}", provider.name, url,
                                   cut_foreign(metadata.error().detail)),
                       "the issuer must be written as the provider itself writes it");
  }
  found.ok(fmt::format("{}: {} is there (client_id and secret are not tried); tell it the redirect URI {}",
                       provider.name, provider.issuer, provider.redirect_uri));
}

}  // namespace

std::vector<Finding> check_social_providers(const Config& config) {
  Findings found{"providers"};
  const auto providers = load_providers(config);
  if (!providers) {
    found.error(providers.error().message, "correct that setting");
    return found.take();
  }
  for (const auto& provider : providers->all()) {
    if (provider.preset->dialect == features::Dialect::openid) {
      check_metadata(found, provider);
    } else {
      found.ok(fmt::format("{}: tell it the redirect URI {}", provider.name, provider.redirect_uri));
    }
  }
  return found.take();
}

}  // namespace keyward::app
