// What a stored password hash says, read strictly and held against our caps, before any work is done for it.
// Internal to crypto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace keyward::crypto {

inline constexpr std::uint64_t password_memory_max_bytes = 1ULL << 30U;
inline constexpr std::uint32_t argon2_passes_max = 64;
inline constexpr std::uint32_t argon2_parallelism_max = 64;
inline constexpr std::uint32_t bcrypt_cost_max = 16;                 // about 4 s
inline constexpr std::uint64_t scrypt_work_max_bytes = 4ULL << 30U;  // 128 * N * r * p
inline constexpr std::uint32_t pbkdf2_iterations_max = 5'000'000;
inline constexpr std::uint32_t sha_crypt_rounds_max = 2'000'000;

struct Argon2Hash {
  std::string phc;  // as libsodium reads it
  bool is_argon2id = true;
  std::uint32_t memory_kib = 0;
  std::uint32_t passes = 0;
  std::uint32_t parallelism = 0;
  std::size_t salt_bytes = 0;
  std::size_t hash_bytes = 0;
  bool is_ours = true;  // false behind a prefix of other software: to be written anew in PHC form
};

/// What is done to a password before bcrypt sees it, to lift the limit of 72 bytes.
enum class Prehash : std::uint8_t {
  none,
  sha256_hex,          // Django
  sha256_base64,       // passlib's bcrypt-sha256, version 1
  hmac_sha256_base64,  // version 2: keyed with the salt's text
};

/// Anything that crypt(3) verifies: the whole hash is its own setting.
struct CryptHash {
  std::string hash;
  bool is_bcrypt = false;
  Prehash prehash = Prehash::none;
  std::uint64_t memory_bytes = 0;
};

struct ScryptHash {
  Bytes salt;
  Bytes hash;
  std::uint64_t n = 0;
  std::uint64_t r = 0;
  std::uint64_t p = 0;
};

enum class Pbkdf2Digest : std::uint8_t { sha1, sha256, sha512 };

struct Pbkdf2Hash {
  Bytes salt;
  Bytes hash;
  Pbkdf2Digest digest = Pbkdf2Digest::sha256;
  std::uint32_t iterations = 0;
};

using StoredHash = std::variant<Argon2Hash, CryptHash, ScryptHash, Pbkdf2Hash>;

/// Error: invalid_input; the message says what is wrong and shows nothing of the hash.
Result<StoredHash> parse_stored_hash(std::string_view stored);

}  // namespace keyward::crypto
