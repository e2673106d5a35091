// MasterKey: the 32 bytes that every stored secret hangs on. It seals nothing itself: each purpose has its
// own sub-key.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace keyward::crypto {

class MasterKey {
 public:
  static constexpr std::size_t size_bytes = 32;

  static MasterKey generate(Random& random);
  /// As it stands in KEYWARD_MASTER_KEY or the key file: 64 hexadecimal digits, or base64 or base64url of 32
  /// bytes (padded or not); white space around it is ignored. Error: invalid_input.
  static Result<MasterKey> parse(const Secret& text);
  /// Error: invalid_input, for any length but 32.
  static Result<MasterKey> from_bytes(Secret bytes);

  /// What generate's caller writes to the file: base64url, and a line end.
  [[nodiscard]] Secret to_text() const;
  /// HKDF-SHA-256 with the purpose as info: 32 bytes that tell nothing about the master key or another
  /// purpose.
  [[nodiscard]] Secret derive(std::string_view purpose) const;

 private:
  explicit MasterKey(Secret bytes) : bytes_(std::move(bytes)) {}
  Secret bytes_;
};

}  // namespace keyward::crypto
