// What a provider says of itself (protocol/oidc/provider_metadata).
//
// The first line is the configured issuer, the rest the document. Must hold: what is accepted is of that
// issuer, every address in it is https, names a host and no user; the algorithms are ours, none of them a
// MAC.
#include "protocol/oidc/provider_metadata.hpp"

#include "fuzz.hpp"
#include "text/unicode.hpp"

namespace keyward::fuzz {

KEYWARD_FUZZ_TARGET(provider_discovery) {
  using namespace protocol;
  Input given{input};
  const std::string_view issuer = given.line();
  const std::string_view document = given.rest();
  const auto metadata = oidc::parse_provider_metadata(document, issuer, false);
  if (!metadata) {
    must_hold(text::is_utf8(metadata.error().detail) && !metadata.error().detail.empty(),
              "a refusal is a sentence");
    (void)oidc::parse_provider_metadata(document, issuer, true);
    return;
  }
  must_hold(metadata->issuer == issuer, "the document is the issuer's");
  for (const auto& url : {metadata->authorization_endpoint, metadata->token_endpoint, metadata->jwks_uri,
                          metadata->userinfo_endpoint}) {
    if (url.empty()) continue;
    must_hold(url.starts_with("https://"), "every address is https");
    must_hold(url.find_first_of(" \t\r\n\\#\"<>") == std::string::npos,
              "and is one that every reader reads alike");
    const auto rest = std::string_view{url}.substr(std::string_view{"https://"}.size());
    const auto authority = rest.substr(0, rest.find_first_of("/?"));
    must_hold(!authority.empty() && !authority.contains('@'), "and names a host and no user");
  }
  must_hold(!metadata->authorization_endpoint.empty() && !metadata->token_endpoint.empty(),
            "what is needed is there");
  must_hold(!metadata->id_token_algorithms.empty(), "there is an algorithm");
  must_hold(std::ranges::find(metadata->id_token_algorithms, jose::Algorithm::hs256) ==
                metadata->id_token_algorithms.end(),
            "which is no MAC");
}

}  // namespace keyward::fuzz
