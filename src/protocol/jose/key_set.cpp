#include "protocol/jose/key_set.hpp"

#include <algorithm>

#include "protocol/jose/jwk.hpp"

namespace keyward::protocol::jose {

namespace {

constexpr auto algorithm_of = [](const auto& key) { return key.algorithm(); };

}  // namespace

Algorithm VerificationKey::algorithm() const { return std::visit(algorithm_of, key_); }

bool VerificationKey::verify(BytesView message, BytesView signature) const {
  return std::visit([&](const auto& key) { return key.verify(message, signature); }, key_);
}

SigningKey::SigningKey(crypto::PrivateKey key) : kid_(thumbprint(key.public_key())), key_(std::move(key)) {}

Algorithm SigningKey::algorithm() const { return std::visit(algorithm_of, key_); }

Bytes SigningKey::sign(BytesView message) const {
  return std::visit([&](const auto& key) { return key.sign(message); }, key_);
}

VerificationKey SigningKey::verification_key() const {
  if (const auto* mac = std::get_if<crypto::MacKey>(&key_)) return {kid_, *mac};
  return {kid_, std::get<crypto::PrivateKey>(key_).public_key()};
}

KeySet::KeySet(std::vector<VerificationKey> keys) {
  for (auto& key : keys) add(std::move(key));
}

bool KeySet::add(VerificationKey key) {
  const bool taken = std::ranges::any_of(keys_, [&](const VerificationKey& other) {
    return !key.kid().empty() && other.kid() == key.kid() && other.algorithm() == key.algorithm();
  });
  if (!taken) keys_.push_back(std::move(key));
  return !taken;
}

Checked<const VerificationKey*> KeySet::choose(std::optional<std::string_view> kid,
                                               Algorithm algorithm) const {
  const VerificationKey* chosen = nullptr;
  std::size_t named = 0;
  std::size_t fitting = 0;
  for (const auto& key : keys_) {
    if (kid && key.kid() != *kid) continue;
    ++named;
    if (key.algorithm() != algorithm) continue;
    ++fitting;
    chosen = &key;
  }
  if (named == 0) return refuse(Reason::unknown_key, kid ? "no key has this kid" : "there are no keys");
  if (fitting == 0) return refuse(Reason::algorithm_mismatch, "alg is not the algorithm of the key");
  if (fitting > 1) return refuse(Reason::unknown_key, "no kid, and several keys could be meant");
  return chosen;
}

}  // namespace keyward::protocol::jose
