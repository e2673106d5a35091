#include <array>
#include <vector>

#include "app/config/settings.hpp"
#include "features/social_login/provider.hpp"

namespace keyward::app {
namespace {

#define KEYWARD_AT(member) [](ProviderConfig& provider) -> Target { return &provider.member; }

const std::vector<std::string_view> types = [] {
  std::vector<std::string_view> known;
  for (const auto& preset : features::presets()) known.push_back(preset.type);
  return known;
}();
constexpr std::array<std::string_view, 3> authentications{"basic", "post", "private_key_jwt"};
constexpr std::array<std::string_view, 4> algorithms{"ES256", "EdDSA", "RS256", "PS256"};

const std::array all_settings{
    Setting{.key = "type",
            .help = "Which kind of provider it is: oidc is any that speaks OpenID Connect.",
            .provider_target = KEYWARD_AT(type),
            .choices = types,
            .derived_from = "NAME when that is one, else oidc"},
    Setting{.key = "issuer",
            .help = "The provider's issuer URL; of github and discord, the URL of a server of one's own.",
            .provider_target = KEYWARD_AT(issuer),
            .derived_from = "the type's; needed with oidc"},
    Setting{.key = "client_id",
            .help = "What the provider calls this server. Needed.",
            .provider_target = KEYWARD_AT(client_id),
            .derived_from = "none"},
    Setting{.key = "client_secret",
            .help = "The secret that the provider gave with it.",
            .provider_target = KEYWARD_AT(client_secret),
            .derived_from = "none"},
    Setting{.key = "client_authentication",
            .help = "How this server shows the provider who it is.",
            .provider_target = KEYWARD_AT(client_authentication),
            .choices = authentications,
            .derived_from = "what the provider offers"},
    Setting{.key = "private_key",
            .help =
                "PEM text (PKCS#8) of the key that signs for private_key_jwt, or that Apple gave. Best given "
                "as a file.",
            .provider_target = KEYWARD_AT(private_key),
            .has_lines = true,
            .derived_from = "none"},
    Setting{.key = "key_id",
            .help = "What the provider calls that key.",
            .provider_target = KEYWARD_AT(key_id),
            .derived_from = "its thumbprint; needed with apple"},
    Setting{.key = "key_algorithm",
            .help = "What that key signs with.",
            .provider_target = KEYWARD_AT(key_algorithm),
            .choices = algorithms},
    Setting{.key = "team_id",
            .help = "The team at Apple. Needed with apple.",
            .provider_target = KEYWARD_AT(team_id),
            .derived_from = "none"},
    Setting{.key = "tenant",
            .help = "The tenant at Microsoft whose people may log in: its id, a UUID. Needed with microsoft.",
            .provider_target = KEYWARD_AT(tenant),
            .derived_from = "none"},
    Setting{.key = "scopes",
            .help = "What is asked for, with spaces between.",
            .provider_target = KEYWARD_AT(scopes),
            .derived_from = "the type's"},
    Setting{.key = "display_name",
            .help = "What people call the provider.",
            .provider_target = KEYWARD_AT(display_name),
            .derived_from = "the type's, or NAME"},
    Setting{.key = "trusted_domains",
            .help =
                "Domains of mail that the provider speaks for: whoever has a verified address there at the "
                "provider gets the account that has it here.",
            .provider_target = KEYWARD_AT(trusted_domains)},
    Setting{.key = "ca_file",
            .help = "PEM file with the authorities that the provider's certificate must come from.",
            .provider_target = KEYWARD_AT(ca_file),
            .derived_from = "the system's"},
    Setting{.key = "private_network",
            .help = "The provider may be at an address that is not public.",
            .provider_target = KEYWARD_AT(private_network)},
    Setting{.key = "sign_up",
            .help = "Whether somebody without an account gets one.",
            .provider_target = KEYWARD_AT(sign_up)},
};

#undef KEYWARD_AT

}  // namespace

std::span<const Setting> provider_settings() { return all_settings; }

}  // namespace keyward::app
