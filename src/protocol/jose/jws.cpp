#include "protocol/jose/jws.hpp"

#include <array>
#include <boost/json/serialize.hpp>

#include "base/limits.hpp"
#include "text/base64url.hpp"

namespace keyward::protocol::jose {

namespace {

struct Parts {
  std::string_view header, payload, signature, signing_input;
};

Checked<Parts> split(std::string_view token, std::size_t max_bytes) {
  if (token.size() > max_bytes) return refuse(Reason::malformed, "the token is too long");
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return refuse(Reason::malformed, "not three parts with dots between them");
  }
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
               token.substr(0, second)};
}

Checked<json::object> parse_header(BytesView bytes) {
  auto value = text::parse_json(as_text(bytes));
  if (!value) return refuse(Reason::malformed, "header: " + value.error().message);
  if (!value->is_object()) return refuse(Reason::malformed, "the header is not an object");
  return std::move(value->get_object());
}

/// The members that we read must be what RFC 7515 §4.1 says; the ones that we do not are not looked at.
Checked<void> check_text_members(const json::object& header) {
  for (const std::string_view name : {"alg", "kid", "typ", "cty"}) {
    const auto* value = header.if_contains(name);
    if (value != nullptr && !value->is_string()) {
      return refuse(Reason::malformed, "header member " + std::string{name} + " is not a string");
    }
  }
  if (!header.contains("alg")) return refuse(Reason::malformed, "the header has no alg");
  return {};
}

/// RFC 7515 §4.1.11: whatever `crit` holds, an empty list or no list included, it is not ours to pass over.
Checked<void> check_no_extension(const json::object& header) {
  for (const std::string_view name : {"crit", "b64"}) {
    if (header.contains(name)) {
      return refuse(Reason::critical_header, "header member " + std::string{name} + " is not supported");
    }
  }
  if (header.contains("zip")) return refuse(Reason::malformed, "a signed token cannot be compressed");
  return {};
}

Checked<Algorithm> parse_header_algorithm(const json::object& header) {
  const auto algorithm = parse_algorithm(std::string_view{header.at("alg").get_string()});
  if (!algorithm) return refuse(Reason::algorithm_mismatch, "alg is not one we support");
  return *algorithm;
}

Checked<std::optional<std::string_view>> parse_header_kid(const json::object& header) {
  const auto* value = header.if_contains("kid");
  if (value == nullptr) return std::nullopt;
  const std::string_view kid{value->get_string()};
  if (kid.empty() || kid.size() > limits::key_id_max_bytes) {
    return refuse(Reason::malformed, "kid is empty or too long");
  }
  return kid;
}

}  // namespace

Checked<UnverifiedJws> parse_compact(std::string_view token, std::size_t max_bytes) {
  const auto parts = split(token, max_bytes);
  if (!parts) return std::unexpected(parts.error());
  const auto header_bytes = text::parse_base64url(parts->header);
  const auto payload = text::parse_base64url(parts->payload);
  auto signature = text::parse_base64url(parts->signature);
  if (!header_bytes || !payload || !signature) return refuse(Reason::malformed, "a part is not base64url");
  auto header = parse_header(*header_bytes);
  if (!header) return std::unexpected(std::move(header).error());
  if (auto members = check_text_members(*header); !members)
    return std::unexpected(std::move(members).error());
  return UnverifiedJws{std::move(*header), std::string{as_text(*payload)}, std::move(*signature),
                       parts->signing_input};
}

Checked<VerifiedJws> verify_compact(std::string_view token, const KeySet& keys, std::size_t max_bytes) {
  auto jws = parse_compact(token, max_bytes);
  if (!jws) return std::unexpected(std::move(jws).error());
  if (auto plain = check_no_extension(jws->header); !plain) return std::unexpected(std::move(plain).error());
  const auto algorithm = parse_header_algorithm(jws->header);
  if (!algorithm) return std::unexpected(algorithm.error());
  const auto kid = parse_header_kid(jws->header);
  if (!kid) return std::unexpected(kid.error());
  const auto key = keys.choose(*kid, *algorithm);
  if (!key) return std::unexpected(key.error());
  if (!(*key)->verify(as_bytes(jws->signing_input), jws->signature)) {
    return refuse(Reason::bad_signature, "the signature is not the key's");
  }
  return VerifiedJws{std::move(jws->header), std::move(jws->payload), **key};
}

std::string sign_compact(std::string_view payload, const SigningKey& key, std::string_view type) {
  json::object header{{"alg", to_name(key.algorithm())}};
  if (!type.empty()) header["typ"] = type;
  if (!key.kid().empty()) header["kid"] = key.kid();
  auto token = text::to_base64url(as_bytes(json::serialize(header)));
  token += '.';
  token += text::to_base64url(as_bytes(payload));
  const auto signature = key.sign(as_bytes(token));
  token += '.';
  token += text::to_base64url(signature);
  return token;
}

}  // namespace keyward::protocol::jose
