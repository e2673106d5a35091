#include "protocol/jose/jwk.hpp"

#include <boost/json/serialize.hpp>
#include <set>

#include "base/limits.hpp"
#include "crypto/digest.hpp"
#include "text/base64url.hpp"

namespace keyward::protocol::jose {

namespace {

using crypto::EcNumbers;
using crypto::EdNumbers;
using crypto::PublicNumbers;
using crypto::RsaNumbers;

std::unexpected<Error> bad_jwk(std::string message) {
  return fail(ErrorCode::invalid_input, std::move(message));
}
std::unexpected<Error> bad_member(std::string_view name, std::string_view what) {
  return bad_jwk("\"" + std::string{name} + "\" " + std::string{what});
}

/// The string `name`, or nothing when it is absent.
Result<std::optional<std::string_view>> find_text(const json::object& jwk, std::string_view name) {
  const auto* value = jwk.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return bad_member(name, "must be a string");
  return std::string_view{value->get_string()};
}

/// The base64url member `name`, which must be there.
Result<Bytes> get_bytes(const json::object& jwk, std::string_view name) {
  const auto value = find_text(jwk, name);
  if (!value) return std::unexpected(value.error());
  if (!*value) return bad_member(name, "is missing");
  auto bytes = text::parse_base64url(**value);
  if (!bytes) return bad_member(name, "is not base64url");
  return std::move(*bytes);
}

Result<Secret> get_secret(const json::object& jwk, std::string_view name) {
  auto bytes = get_bytes(jwk, name);
  if (!bytes) return fail_from(bytes);
  Secret secret{BytesView{*bytes}};
  wipe(bytes->data(), bytes->size());
  return secret;
}

Result<const json::object*> as_object(const json::value& jwk) {
  if (!jwk.is_object()) return bad_jwk("A key must be a JSON object");
  return &jwk.get_object();
}

/// RFC 7517 §4.2, §4.3: `use` and `key_ops` must both allow what the key is taken for, where they are
/// present.
Result<void> check_purpose(const json::object& jwk, std::string_view operation, bool private_key) {
  const auto use = find_text(jwk, "use");
  if (!use) return std::unexpected(use.error());
  if (*use && **use != "sig") return bad_member("use", "is not \"sig\"");

  const auto* operations = jwk.if_contains("key_ops");
  if (operations == nullptr) return {};
  if (!operations->is_array()) return bad_member("key_ops", "must be an array");
  std::set<std::string_view> seen;
  for (const auto& each : operations->get_array()) {
    if (!each.is_string()) return bad_member("key_ops", "must hold strings");
    if (!seen.insert(std::string_view{each.get_string()}).second)
      return bad_member("key_ops", "says one thing twice");
  }
  const bool allowed = seen.contains(operation) || (private_key && seen.contains("sign"));
  if (!allowed) return bad_member("key_ops", "does not allow \"" + std::string{operation} + "\"");
  return {};
}

enum class KeyType : std::uint8_t { ec, okp, rsa, oct };

Result<KeyType> parse_type(const json::object& jwk) {
  const auto kty = find_text(jwk, "kty");
  if (!kty) return std::unexpected(kty.error());
  if (!*kty) return bad_member("kty", "is missing");
  if (**kty == "RSA") return KeyType::rsa;
  if (**kty == "oct") return KeyType::oct;
  if (**kty != "EC" && **kty != "OKP") return bad_member("kty", "is not a type we support");
  const auto crv = find_text(jwk, "crv");
  if (!crv) return std::unexpected(crv.error());
  if (**kty == "EC" && *crv == "P-256") return KeyType::ec;
  if (**kty == "OKP" && *crv == "Ed25519") return KeyType::okp;
  return bad_member("crv", "is not a curve we support");
}

/// The key's one algorithm (J8).
Result<Algorithm> parse_key_algorithm(const json::object& jwk, KeyType type) {
  const auto alg = find_text(jwk, "alg");
  if (!alg) return std::unexpected(alg.error());
  std::vector<Algorithm> possible;  // the default stands first
  switch (type) {
    case KeyType::ec:
      possible = {Algorithm::es256};
      break;
    case KeyType::okp:
      possible = {Algorithm::eddsa};
      break;
    case KeyType::rsa:
      possible = {Algorithm::rs256, Algorithm::ps256};
      break;
    case KeyType::oct:
      possible = {Algorithm::hs256};
      break;
  }
  if (!*alg) return possible.front();
  for (const auto algorithm : possible) {
    if (to_name(algorithm) == **alg) return algorithm;
  }
  return bad_member("alg", "is not one we support for this type of key");
}

Result<std::string> parse_kid(const json::object& jwk) {
  const auto kid = find_text(jwk, "kid");
  if (!kid) return std::unexpected(kid.error());
  if (!*kid) return std::string{};
  if ((*kid)->empty() || (*kid)->size() > limits::key_id_max_bytes)
    return bad_member("kid", "is empty or too long");
  return std::string{**kid};
}

Result<PublicNumbers> parse_numbers(const json::object& jwk, KeyType type) {
  auto first = get_bytes(jwk, type == KeyType::rsa ? "n" : "x");
  if (!first) return fail_from(first);
  if (type == KeyType::okp) return EdNumbers{std::move(*first)};
  auto second = get_bytes(jwk, type == KeyType::rsa ? "e" : "y");
  if (!second) return fail_from(second);
  if (type == KeyType::rsa) return RsaNumbers{std::move(*first), std::move(*second)};
  return EcNumbers{std::move(*first), std::move(*second)};
}

Result<crypto::PrivateNumbers> parse_private_numbers(const json::object& jwk, KeyType type) {
  auto numbers = parse_numbers(jwk, type);
  if (!numbers) return fail_from(numbers);
  auto d = get_secret(jwk, "d");
  if (!d) return fail_from(d);
  crypto::PrivateNumbers result{std::move(*numbers), std::move(*d)};
  if (type != KeyType::rsa) return result;
  if (jwk.contains("oth")) return bad_member("oth", "(more than two primes) is not supported");
  for (const auto& [name, target] : {std::pair{"p", &result.p},
                                     {"q", &result.q},
                                     {"dp", &result.dp},
                                     {"dq", &result.dq},
                                     {"qi", &result.qi}}) {
    auto number = get_secret(jwk, name);
    if (!number) return fail_from(number);
    *target = std::move(*number);
  }
  return result;
}

Result<crypto::MacKey> parse_mac_key(const json::object& jwk) {
  auto bytes = get_secret(jwk, "k");
  if (!bytes) return fail_from(bytes);
  return crypto::MacKey::from_bytes(*bytes);
}

struct Head {
  KeyType type;
  Algorithm algorithm;
  std::string kid;
};

Result<Head> parse_head(const json::object& jwk, std::string_view operation) {
  const auto type = parse_type(jwk);
  if (!type) return std::unexpected(type.error());
  if (auto purpose = check_purpose(jwk, operation, jwk.contains("d")); !purpose) return fail_from(purpose);
  const auto algorithm = parse_key_algorithm(jwk, *type);
  if (!algorithm) return std::unexpected(algorithm.error());
  auto kid = parse_kid(jwk);
  if (!kid) return fail_from(kid);
  return Head{*type, *algorithm, std::move(*kid)};
}

/// The members that a thumbprint covers, in its order: RFC 7638 §3.2, RFC 8037 §2.
json::object required_members(const PublicNumbers& numbers) {
  using text::to_base64url;
  if (const auto* ec = std::get_if<EcNumbers>(&numbers)) {
    return {{"crv", "P-256"}, {"kty", "EC"}, {"x", to_base64url(ec->x)}, {"y", to_base64url(ec->y)}};
  }
  if (const auto* ed = std::get_if<EdNumbers>(&numbers)) {
    return {{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", to_base64url(ed->x)}};
  }
  const auto& rsa = std::get<RsaNumbers>(numbers);
  return {{"e", to_base64url(rsa.exponent)}, {"kty", "RSA"}, {"n", to_base64url(rsa.modulus)}};
}

}  // namespace

Result<VerificationKey> parse_verification_key(const json::value& value, MacKeys mac_keys) {
  const auto jwk = as_object(value);
  if (!jwk) return std::unexpected(jwk.error());
  auto head = parse_head(**jwk, "verify");
  if (!head) return fail_from(head);
  if (head->type == KeyType::oct) {
    if (mac_keys == MacKeys::refuse)
      return bad_member("kty", "\"oct\" is a shared secret, not for a published set");
    auto key = parse_mac_key(**jwk);
    if (!key) return fail_from(key);
    return VerificationKey{std::move(head->kid), std::move(*key)};
  }
  auto numbers = parse_numbers(**jwk, head->type);
  if (!numbers) return fail_from(numbers);
  auto key = crypto::PublicKey::from_numbers(head->algorithm, std::move(*numbers));
  if (!key) return fail_from(key);
  auto kid = head->kid.empty() ? thumbprint(*key) : std::move(head->kid);
  return VerificationKey{std::move(kid), std::move(*key)};
}

Result<VerificationKey> parse_verification_key(std::string_view jwk, MacKeys mac_keys) {
  auto value = text::parse_json(jwk);
  if (!value) return fail_from(value);
  return parse_verification_key(*value, mac_keys);
}

Result<SigningKey> parse_signing_key(const json::value& value) {
  const auto jwk = as_object(value);
  if (!jwk) return std::unexpected(jwk.error());
  auto head = parse_head(**jwk, "sign");
  if (!head) return fail_from(head);
  if (head->type == KeyType::oct) {
    auto key = parse_mac_key(**jwk);
    if (!key) return fail_from(key);
    return SigningKey{std::move(head->kid), std::move(*key)};
  }
  const auto numbers = parse_private_numbers(**jwk, head->type);
  if (!numbers) return std::unexpected(numbers.error());
  auto key = crypto::PrivateKey::from_numbers(head->algorithm, *numbers);
  if (!key) return fail_from(key);
  if (head->kid.empty()) return SigningKey{std::move(*key)};
  return SigningKey{std::move(head->kid), std::move(*key)};
}

Result<SigningKey> parse_signing_key(const Secret& jwk) {
  auto value = text::parse_json(jwk.text());
  if (!value) return fail_from(value);
  return parse_signing_key(*value);
}

Result<JwkSet> parse_jwk_set(std::string_view text, MacKeys mac_keys) {
  const auto value = text::parse_json(text);
  if (!value) return std::unexpected(value.error());
  const auto* object = value->if_object();
  const auto* members = object == nullptr ? nullptr : object->if_contains("keys");
  const auto* list = members == nullptr ? nullptr : members->if_array();
  if (list == nullptr) return bad_jwk("A key set must be an object with an array \"keys\"");
  if (list->size() > limits::jwk_set_max_keys) return bad_jwk("A key set has too many keys");

  JwkSet set;
  for (const auto& each : *list) {
    auto key = parse_verification_key(each, mac_keys);
    if (!key) {
      set.skipped.push_back(std::move(key.error().message));
    } else if (!set.keys.add(std::move(*key))) {
      set.skipped.emplace_back("\"kid\" is another key's");
    }
  }
  return set;
}

std::string thumbprint(const crypto::PublicKey& key) {
  const auto members = json::serialize(required_members(key.numbers()));
  return text::to_base64url(crypto::sha256(as_bytes(members)));
}

json::object to_public_jwk(std::string_view kid, const crypto::PublicKey& key) {
  auto jwk = required_members(key.numbers());
  jwk["alg"] = to_name(key.algorithm());
  jwk["use"] = "sig";
  jwk["kid"] = kid;
  return jwk;
}

std::string to_public_jwk_set(const KeySet& keys) {
  json::array list;
  for (const auto& key : keys.keys()) {
    if (const auto* public_key = key.public_key()) list.emplace_back(to_public_jwk(key.kid(), *public_key));
  }
  return json::serialize(json::object{{"keys", std::move(list)}});
}

}  // namespace keyward::protocol::jose
