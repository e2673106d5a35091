#include "crypto/pem_key.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <climits>
#include <optional>
#include <string_view>

#include "crypto/key_backend.hpp"
#include "crypto/openssl.hpp"

namespace keyward::crypto {

namespace {

using Bio = std::unique_ptr<BIO, FreeWith<&BIO_free>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<&PKCS8_PRIV_KEY_INFO_free>>;

struct Block {
  std::string label;
  bool has_headers = false;  // RFC 1421's: `Proc-Type: 4,ENCRYPTED`, as `openssl ec -aes256` writes
  Secret der;
};

/// What OpenSSL allocated for a block, wiped at the end.
struct RawBlock {
  char* label = nullptr;
  char* headers = nullptr;
  unsigned char* data = nullptr;
  long size = 0;

  RawBlock() = default;
  RawBlock(const RawBlock&) = delete;
  RawBlock& operator=(const RawBlock&) = delete;
  ~RawBlock() {
    OPENSSL_free(label);
    OPENSSL_free(headers);
    OPENSSL_clear_free(data, size > 0 ? static_cast<std::size_t>(size) : 0);
  }
};

/// The next block of the text; nothing at its end, and where it is no PEM.
std::optional<Block> read_block(const Bio& text) {
  RawBlock raw;
  if (PEM_read_bio(text.get(), &raw.label, &raw.headers, &raw.data, &raw.size) != 1) return std::nullopt;
  return Block{raw.label, *raw.headers != '\0',
               Secret{BytesView{raw.data, raw.size > 0 ? static_cast<std::size_t>(raw.size) : 0}}};
}

Result<Secret> pkcs8_of_ec(const Secret& sec1) {
  const auto der = sec1.bytes();
  const auto* at = der.data();
  const EvpKey key{d2i_PrivateKey(EVP_PKEY_EC, nullptr, &at, static_cast<long>(der.size()))};
  const Pkcs8 info{key && at == der.data() + der.size() ? EVP_PKEY2PKCS8(key.get()) : nullptr};
  if (!info) return bad_key("The EC private key cannot be read");
  const int size_bytes = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  if (size_bytes <= 0) throw_openssl_failure("i2d_PKCS8_PRIV_KEY_INFO");
  auto result = Secret::of_size(static_cast<std::size_t>(size_bytes));
  auto* out = result.mutable_bytes().data();
  if (i2d_PKCS8_PRIV_KEY_INFO(info.get(), &out) != size_bytes)
    throw_openssl_failure("i2d_PKCS8_PRIV_KEY_INFO");
  return result;
}

Result<Secret> pkcs8_of_block(Block block) {
  if (block.label == "ENCRYPTED PRIVATE KEY" || block.has_headers) {
    return bad_key("The private key is encrypted: give it without a passphrase");
  }
  if (block.label == "PRIVATE KEY") return std::move(block.der);
  if (block.label == "EC PRIVATE KEY") return pkcs8_of_ec(block.der);
  return bad_key("Not a PRIVATE KEY in PEM, but: " + block.label.substr(0, 64));
}

}  // namespace

Result<Secret> pkcs8_of_pem(const Secret& pem) {
  if (pem.empty() || pem.size() > INT_MAX) return bad_key("Not a PRIVATE KEY in PEM");
  const OpensslErrorMark mark;
  const Bio text{
      require_object(BIO_new_mem_buf(pem.bytes().data(), static_cast<int>(pem.size())), "BIO_new_mem_buf")};
  auto block = read_block(text);
  // `openssl ecparam -genkey` writes the curve's name before the key, which has it too.
  if (block && block->label == "EC PARAMETERS") block = read_block(text);
  if (!block) return bad_key("Not a PRIVATE KEY in PEM");
  if (read_block(text)) return bad_key("More than one PEM block, where one private key is wanted");
  return pkcs8_of_block(std::move(*block));
}

}  // namespace keyward::crypto
