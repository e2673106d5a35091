// Why a token was refused, or what a provider said: a stable word for machines, a sentence for the log. The
// bearer is told neither.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace keyward::protocol::jose {

enum class Reason : std::uint8_t {
  malformed,           // not a compact JWS of ours to read: shape, size, base64url, JSON, header members
  critical_header,     // `crit` or `b64`: asks for an extension, and we have none
  algorithm_mismatch,  // `alg` is not the key's own, or no algorithm we know
  unknown_key,         // no key of this `kid`, or no `kid` and no single key to choose
  bad_signature,
  wrong_type,  // `typ` is another kind of token's
  missing_claim,
  invalid_claim,  // a claim of another JSON type or range than its definition
  expired,
  not_yet_valid,
  issuer_mismatch,
  audience_mismatch,

  // Of a relying party (protocol/oauth2, protocol/oidc), which shares this family so that an event has one
  // list of words.
  too_large,
  azp_mismatch,
  nonce_mismatch,
  issued_too_long_ago,
  at_hash_mismatch,
  subject_mismatch,
  tenant_mismatch,
  provider_error,            // the provider sent the browser back with an error
  token_refused,             // the token endpoint answered with one
  callback_issuer_missing,   // the provider promised `iss` in its answers, and it was not there
  callback_issuer_mismatch,  // another provider's answer, or one that a mix-up brought here
  endpoint_in_clear,         // an address of the provider is not https
};

/// The word itself: `malformed`, `expired`, … Part of the contract of `keyward token verify` and of security
/// events.
std::string_view to_word(Reason reason);

struct Refusal {
  Reason reason = Reason::malformed;
  std::string detail;
};

template <class T>
using Checked = std::expected<T, Refusal>;

[[nodiscard]] inline std::unexpected<Refusal> refuse(Reason reason, std::string detail) {
  return std::unexpected(Refusal{reason, std::move(detail)});
}

}  // namespace keyward::protocol::jose
