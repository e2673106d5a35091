// Keys with their names, and the one rule by which a token's header chooses among them.
//
// RFC 7515 §4.1.4, RFC 8725 §3.1, §3.10. Threats: the header picks the algorithm (answer: the key has one,
// and the header's must equal it, J8); `kid` as a path, a query or a reason to try every key (answer: it is
// compared with the names in the set, nothing else, J15).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/jose/algorithm.hpp"
#include "protocol/jose/refusal.hpp"

namespace keyward::protocol::jose {

class VerificationKey {
 public:
  VerificationKey(std::string kid, crypto::PublicKey key) : kid_(std::move(kid)), key_(std::move(key)) {}
  VerificationKey(std::string kid, crypto::MacKey key) : kid_(std::move(kid)), key_(std::move(key)) {}

  [[nodiscard]] const std::string& kid() const { return kid_; }
  [[nodiscard]] Algorithm algorithm() const;
  [[nodiscard]] bool verify(BytesView message, BytesView signature) const;
  /// nullptr for a MAC key: the only way to a key's numbers, so that a secret has none (J4).
  [[nodiscard]] const crypto::PublicKey* public_key() const { return std::get_if<crypto::PublicKey>(&key_); }

 private:
  std::string kid_;
  std::variant<crypto::PublicKey, crypto::MacKey> key_;
};

class SigningKey {
 public:
  /// Named by the RFC 7638 thumbprint of its public part.
  explicit SigningKey(crypto::PrivateKey key);
  SigningKey(std::string kid, crypto::PrivateKey key) : kid_(std::move(kid)), key_(std::move(key)) {}
  SigningKey(std::string kid, crypto::MacKey key) : kid_(std::move(kid)), key_(std::move(key)) {}

  [[nodiscard]] const std::string& kid() const { return kid_; }
  [[nodiscard]] Algorithm algorithm() const;
  [[nodiscard]] Bytes sign(BytesView message) const;
  [[nodiscard]] VerificationKey verification_key() const;
  /// nullptr for a MAC key.
  [[nodiscard]] const crypto::PrivateKey* private_key() const {
    return std::get_if<crypto::PrivateKey>(&key_);
  }

 private:
  std::string kid_;
  std::variant<crypto::PrivateKey, crypto::MacKey> key_;
};

class KeySet {
 public:
  KeySet() = default;
  explicit KeySet(std::vector<VerificationKey> keys);

  /// False, and nothing is added, when the set has a key of this name and algorithm already.
  bool add(VerificationKey key);
  /// By `kid` when the token has one, and no other key is tried. Without: only when a single key has this
  /// algorithm.
  [[nodiscard]] Checked<const VerificationKey*> choose(std::optional<std::string_view> kid,
                                                       Algorithm algorithm) const;
  [[nodiscard]] const std::vector<VerificationKey>& keys() const { return keys_; }

 private:
  std::vector<VerificationKey> keys_;
};

}  // namespace keyward::protocol::jose
