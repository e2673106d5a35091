#include "protocol/oidc/id_token.hpp"

#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "crypto/digest.hpp"
#include "protocol/jose/jws.hpp"
#include "protocol/jose/jwt.hpp"
#include "protocol/oidc/claims.hpp"
#include "text/base64url.hpp"

namespace keyward::protocol::oidc {

namespace {

using jose::Algorithm;
using jose::Presence;

/// A token under verification. Each check is one paragraph of §3.1.3.7.
struct Checks {
  const json::object& header;
  const json::object& claims;
  Algorithm algorithm;
  const IdTokenExpectation& expected;

  /// 7, 8: never a MAC, whatever the list says.
  [[nodiscard]] Checked<void> check_algorithm() const {
    const bool listed = std::ranges::find(expected.algorithms, algorithm) != expected.algorithms.end();
    if (listed && algorithm != Algorithm::hs256) return {};
    return refuse(Reason::algorithm_mismatch, "alg is not one that the provider signs with");
  }

  /// RFC 8725 §3.11: logout tokens, access tokens and others name themselves.
  [[nodiscard]] Checked<void> check_kind() const {
    if (!header.contains("typ")) return {};
    return jose::check_type(header, "JWT");
  }

  /// 3: no audience but us is trusted.
  [[nodiscard]] Checked<void> check_audience() const {
    const auto audience = jose::get_audience(claims);
    if (!audience) return std::unexpected(audience.error());
    if (std::ranges::find(*audience, expected.client_id) == audience->end()) {
      return refuse(Reason::audience_mismatch, "aud does not name this client");
    }
    const bool alone =
        std::ranges::all_of(*audience, [&](const auto& each) { return each == expected.client_id; });
    if (!alone) return refuse(Reason::audience_mismatch, "aud names others beside this client");
    return audience->size() == 1 && !claims.contains("azp") ? Checked<void>{} : check_authorized_party();
  }

  /// 4, 5.
  [[nodiscard]] Checked<void> check_authorized_party() const {
    const auto party = jose::get_text(claims, "azp");
    if (!party) return std::unexpected(party.error());
    if (*party != expected.client_id) return refuse(Reason::azp_mismatch, "azp is another client");
    return {};
  }

  /// 10.
  [[nodiscard]] Checked<void> check_age() const {
    if (auto issued = jose::check_issued_at(claims, expected.now, Presence::required); !issued) return issued;
    const auto issued_at = jose::get_time(claims, "iat").value();  // which has just been read
    if (issued_at + limits::provider_token_age_max < expected.now) {
      return refuse(Reason::issued_too_long_ago, "iat is too long ago");
    }
    return {};
  }

  /// 11.
  [[nodiscard]] Checked<void> check_nonce() const {
    const auto nonce = jose::get_text(claims, "nonce");
    if (!nonce) return std::unexpected(nonce.error());
    if (!crypto::constant_time_equal(*nonce, expected.nonce)) {
      return refuse(Reason::nonce_mismatch, "nonce is another login's");
    }
    return {};
  }

  /// §3.1.3.8: the left half of the hash that `alg` names; of Ed25519 that is SHA-512 (RFC 8032 §5.1).
  [[nodiscard]] Checked<void> check_access_token_hash() const {
    if (expected.access_token.empty() || !claims.contains("at_hash")) return {};
    const auto given = jose::get_text(claims, "at_hash");
    if (!given) return std::unexpected(given.error());
    const auto half = [](const auto& hash) {
      return text::to_base64url(BytesView{hash}.first(hash.size() / 2));
    };
    const auto token = as_bytes(expected.access_token);
    const auto right =
        algorithm == Algorithm::eddsa ? half(crypto::sha512(token)) : half(crypto::sha256(token));
    if (!crypto::constant_time_equal(*given, right)) {
      return refuse(Reason::at_hash_mismatch, "at_hash is not the access token's");
    }
    return {};
  }

  [[nodiscard]] Checked<void> check_tenant() const {
    if (expected.tenant.empty()) return {};
    const auto tenant = jose::get_text(claims, "tid");
    if (!tenant) return std::unexpected(tenant.error());
    if (*tenant != expected.tenant) return refuse(Reason::tenant_mismatch, "tid is another tenant");
    return {};
  }

  [[nodiscard]] Checked<void> check_all() const {
    // All are made, and the first that fails is told: the order is part of what the reason means.
    const std::array checks{
        check_algorithm(),
        check_kind(),
        jose::check_issuer(claims, expected.issuer),
        check_audience(),
        jose::check_expiry(claims, expected.now),
        jose::check_not_before(claims, expected.now, Presence::optional),
        check_age(),
        check_nonce(),
        check_access_token_hash(),
        check_tenant(),
    };
    const auto* const failed =
        std::ranges::find_if(checks, [](const auto& check) { return !check.has_value(); });
    return failed == checks.end() ? Checked<void>{} : *failed;
  }
};

Checked<std::optional<Time>> find_auth_time(const json::object& claims) {
  if (!claims.contains("auth_time")) return std::nullopt;
  const auto time = jose::get_time(claims, "auth_time");
  if (!time) return std::unexpected(time.error());
  return *time;
}

}  // namespace

Checked<IdToken> verify_id_token(std::string_view token, const jose::KeySet& keys,
                                 const IdTokenExpectation& expected) {
  if (token.size() > limits::provider_token_max_bytes)
    return refuse(Reason::too_large, "the token is too long");
  const auto jws = jose::verify_compact(token, keys, limits::provider_token_max_bytes);
  if (!jws) return std::unexpected(jws.error());
  auto claims = jose::parse_claims(jws->payload());
  if (!claims) return std::unexpected(std::move(claims).error());
  const Checks checks{jws->header(), *claims, jws->algorithm(), expected};
  if (auto checked = checks.check_all(); !checked) return std::unexpected(std::move(checked).error());
  auto subject = get_subject(*claims);
  if (!subject) return std::unexpected(std::move(subject).error());
  const auto auth_time = find_auth_time(*claims);
  if (!auth_time) return std::unexpected(auth_time.error());
  return IdToken{std::move(*subject), *auth_time, std::move(*claims)};
}

}  // namespace keyward::protocol::oidc
