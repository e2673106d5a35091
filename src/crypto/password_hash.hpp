// Password hashes: Argon2id is what Keyward makes (RFC 9106); what other software made is verified, so that
// its users can move in.
//
// Made: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, PHC, 16 bytes of random salt, 32 bytes of hash (P8).
// Verified as well, and always reported as in need of an upgrade:
//   argon2i and argon2id with any p (also behind Django's `argon2` prefix); bcrypt `$2a$ $2b$ $2y$`, Django's
//   `bcrypt$` and `bcrypt_sha256$`, passlib's `$bcrypt-sha256$`; scrypt as passlib, Django and crypt(3) `$7$`
//   write it; PBKDF2 with SHA-1, SHA-256 and SHA-512 as passlib and Django write it; crypt(3) yescrypt `$y$`,
//   `$6$` and `$5$`.
//
// Threats: a stored or imported hash that asks for absurd work (each cost has a cap, looked at before any
// work is done); bcrypt's cut at 72 bytes and at NUL (such a password never matches a plain bcrypt hash, P3);
// timing of the comparison (constant); passwords left in memory (every buffer of ours is wiped).
//
// Everything that begins with `blocking_` burns a core for milliseconds: never on a loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace keyward::crypto {

struct Argon2Settings {
  std::uint32_t memory_kib = 19456;
  std::uint32_t passes = 2;
  std::uint32_t parallelism = 1;  // libsodium makes p=1 only
};

/// Refuses settings under the floor of P8 (19456 KiB with 2 passes, or 47104 KiB with 1) or over our caps (1
/// GiB, 64 passes). The message names the setting.
Result<void> check_argon2_settings(const Argon2Settings& settings);

struct PasswordCheck {
  bool matches = false;
  /// Matches or not: the stored hash is not Argon2id with the current settings or better ones.
  bool needs_upgrade = false;
  /// False when the answer came without hashing: the stored text is none that we run, or this password cannot
  /// be what it was made from (over 72 bytes or with a NUL against plain bcrypt). The caller spends the time
  /// otherwise, so that it tells nothing (A6).
  bool hashed = false;
};

/// PHC text of at most 128 characters. Throws when the memory cannot be had.
std::string blocking_hash_password(const Secret& password, const Argon2Settings& settings);

/// Throws when the memory cannot be had; any `stored` that is not understood simply does not match.
PasswordCheck blocking_verify_password(const Secret& password, std::string_view stored,
                                       const Argon2Settings& settings);

/// Whether `stored` is a hash that blocking_verify_password would run: for an import, and for the log. Says
/// why not.
Result<void> check_stored_hash(std::string_view stored);

/// Memory that verifying against `stored` takes; 0 when it would not run.
std::size_t verify_memory_bytes(std::string_view stored);

/// A well-formed hash with these settings that no password matches, made without hashing: verifying against
/// it costs what verifying a real one costs. For accounts that do not exist (A6).
std::string make_unmatchable_hash(const Argon2Settings& settings);

}  // namespace keyward::crypto
