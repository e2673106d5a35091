#include "crypto/aead.hpp"

#include <algorithm>
#include <stdexcept>

#include "crypto/sodium.hpp"

namespace keyward::crypto {

namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(sealing_key_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

Bytes with_version(BytesView associated_data) {
  Bytes bytes{version};
  bytes.insert(bytes.end(), associated_data.begin(), associated_data.end());
  return bytes;
}

void require_key(const Secret& key) {
  if (key.size() != sealing_key_bytes) throw std::invalid_argument("a sealing key has 32 bytes");
  prepare_sodium();
}

}  // namespace

Bytes seal(const Secret& key, const Secret& plaintext, BytesView associated_data, Random& random) {
  require_key(key);
  const auto authenticated = with_version(associated_data);
  Bytes sealed(1 + nonce_bytes + plaintext.size() + tag_bytes);
  sealed.front() = version;
  const auto nonce = std::span{sealed}.subspan(1, nonce_bytes);
  random.fill(nonce);
  const auto body = std::span{sealed}.subspan(1 + nonce_bytes);
  if (crypto_aead_xchacha20poly1305_ietf_encrypt(body.data(), nullptr, plaintext.bytes().data(),
                                                 plaintext.size(), authenticated.data(), authenticated.size(),
                                                 nullptr, nonce.data(), key.bytes().data()) != 0) {
    throw std::runtime_error("sealing failed");
  }
  return sealed;
}

Result<Secret> open(const Secret& key, BytesView sealed, BytesView associated_data) {
  require_key(key);
  if (sealed.size() < 1 + nonce_bytes + tag_bytes || sealed.front() != version) {
    return fail(ErrorCode::internal, "A stored secret cannot be read", "not a sealed value of version 1");
  }
  const auto authenticated = with_version(associated_data);
  const auto nonce = sealed.subspan(1, nonce_bytes);
  const auto body = sealed.subspan(1 + nonce_bytes);
  auto plaintext = Secret::of_size(body.size() - tag_bytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          plaintext.mutable_bytes().data(), nullptr, nullptr, body.data(), body.size(), authenticated.data(),
          authenticated.size(), nonce.data(), key.bytes().data()) != 0) {
    return fail(ErrorCode::internal, "A stored secret cannot be read",
                "the value was sealed with another master key or for another place, or was changed");
  }
  return plaintext;
}

}  // namespace keyward::crypto
