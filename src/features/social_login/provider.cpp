#include "features/social_login/provider.hpp"

#include <algorithm>
#include <array>

namespace keyward::features {

namespace {

using protocol::oidc::VerifiedSpelling;

constexpr std::array all_presets{
    Preset{.type = "google", .display_name = "Google", .issuer = "https://accounts.google.com"},
    Preset{.type = "github",
           .display_name = "GitHub",
           .dialect = Dialect::github,
           .issuer = "https://github.com",
           .scopes = "read:user user:email"},
    // The tenant is pinned: `common` would take everybody who has an account at Microsoft (F6).
    Preset{.type = "microsoft",
           .display_name = "Microsoft",
           .issuer = "https://login.microsoftonline.com/{tenant}/v2.0",
           .verified = VerifiedSpelling::microsoft},
    Preset{.type = "apple",
           .display_name = "Apple",
           .issuer = "https://appleid.apple.com",
           .scopes = "openid email name",
           .verified = VerifiedSpelling::apple,
           .signs_its_secret = true,
           .answers_by_form = true},
    Preset{.type = "gitlab", .display_name = "GitLab", .issuer = "https://gitlab.com"},
    Preset{.type = "discord",
           .display_name = "Discord",
           .dialect = Dialect::discord,
           .issuer = "https://discord.com",
           .scopes = "identify email"},
    Preset{.type = "oidc", .display_name = "OpenID"},
};

std::string_view domain_of(std::string_view normalized) {
  return normalized.substr(normalized.rfind('@') + 1);
}

}  // namespace

std::span<const Preset> presets() { return all_presets; }

const Preset* find_preset(std::string_view type) {
  const auto* const found = std::ranges::find(all_presets, type, &Preset::type);
  return found == all_presets.end() ? nullptr : found;
}

bool Provider::is_authoritative(const text::EmailAddress& email, const protocol::oidc::Person& person) const {
  const auto domain = domain_of(email.normalized);
  if (std::ranges::find(trusted_domains, domain) != trusted_domains.end()) return true;
  // "Google is authoritative" for its own mail, and where it hosts the domain: its documentation of ID
  // tokens.
  if (preset->type != "google" || issuer != preset->issuer) return false;
  return domain == "gmail.com" || (!person.hosted_domain.empty() && person.hosted_domain == domain);
}

const Provider* Providers::find(std::string_view name) const {
  const auto found = std::ranges::find(all_, name, &Provider::name);
  return found == all_.end() ? nullptr : &*found;
}

Result<const Provider*> Providers::get(std::string_view name) const {
  if (const auto* provider = find(name)) return provider;
  return fail(ErrorCode::not_found, "There is no such provider");
}

}  // namespace keyward::features
