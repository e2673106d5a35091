#include "crypto/master_key.hpp"

#include "crypto/digest.hpp"
#include "crypto/sodium.hpp"

namespace keyward::crypto {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// libsodium decodes without a table, so that no cache line tells about the key.
bool decode_base64(std::string_view text, int variant, Secret& bytes) {
  std::size_t written = 0;
  const char* end = nullptr;
  return sodium_base642bin(bytes.mutable_bytes().data(), bytes.size(), text.data(), text.size(), nullptr,
                           &written, &end, variant) == 0 &&
         written == bytes.size() && end == text.data() + text.size();
}

bool decode_hex(std::string_view text, Secret& bytes) {
  std::size_t written = 0;
  const char* end = nullptr;
  return sodium_hex2bin(bytes.mutable_bytes().data(), bytes.size(), text.data(), text.size(), nullptr,
                        &written, &end) == 0 &&
         written == bytes.size() && end == text.data() + text.size();
}

}  // namespace

MasterKey MasterKey::generate(Random& random) {
  auto bytes = Secret::of_size(size_bytes);
  random.fill(bytes.mutable_bytes());
  return MasterKey{std::move(bytes)};
}

Result<MasterKey> MasterKey::parse(const Secret& text) {
  prepare_sodium();
  const auto digits = trimmed(text.text());
  auto bytes = Secret::of_size(size_bytes);
  bool decoded = decode_hex(digits, bytes);
  for (const int variant : {sodium_base64_VARIANT_URLSAFE_NO_PADDING, sodium_base64_VARIANT_URLSAFE,
                            sodium_base64_VARIANT_ORIGINAL_NO_PADDING, sodium_base64_VARIANT_ORIGINAL}) {
    decoded = decoded || decode_base64(digits, variant, bytes);
  }
  if (!decoded) {
    return fail(ErrorCode::invalid_input,
                "The master key must be 32 bytes, as 64 hexadecimal digits or as base64");
  }
  return MasterKey{std::move(bytes)};
}

Result<MasterKey> MasterKey::from_bytes(Secret bytes) {
  if (bytes.size() != size_bytes) return fail(ErrorCode::invalid_input, "The master key must be 32 bytes");
  return MasterKey{std::move(bytes)};
}

Secret MasterKey::to_text() const {
  prepare_sodium();
  constexpr auto variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  auto text = Secret::of_size(sodium_base64_ENCODED_LEN(size_bytes, variant));
  const auto buffer = text.mutable_bytes();
  sodium_bin2base64(reinterpret_cast<char*>(buffer.data()), buffer.size(), bytes_.bytes().data(),
                    bytes_.size(), variant);
  buffer.back() = '\n';  // in the place of the terminating zero
  return text;
}

Secret MasterKey::derive(std::string_view purpose) const {
  return hkdf_sha256(bytes_.bytes(), as_bytes("keyward/1"), as_bytes(purpose));
}

}  // namespace keyward::crypto
