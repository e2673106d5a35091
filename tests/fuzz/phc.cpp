// Stored password hashes (crypto/password_stored, crypto/password_hash): from a database or an import.
//
// Must hold: a hash that is read asks for no more work than the caps allow; an Argon2 hash in PHC form prints
// back as the same text; three questions about one hash have one answer; a password that nobody ever had
// never matches.
#include <fmt/format.h>

#include "crypto/password_encoding.hpp"
#include "crypto/password_hash.hpp"
#include "crypto/password_stored.hpp"
#include "fuzz.hpp"

namespace keyward::fuzz {
namespace {

using namespace crypto;

void check_argon2(const Argon2Hash& hash, std::string_view stored) {
  must_hold(std::uint64_t{hash.memory_kib} * 1024 <= password_memory_max_bytes, "memory is capped");
  must_hold(hash.passes <= argon2_passes_max && hash.parallelism <= argon2_parallelism_max, "work is capped");
  const auto fields = split_fields<6>(hash.phc);
  must_hold(fields.has_value(), "a PHC text has its fields");
  const auto salt = parse_base64((*fields)[4], Base64::unpadded);
  const auto made = parse_base64((*fields)[5], Base64::unpadded);
  must_hold(salt && made && salt->size() == hash.salt_bytes && made->size() == hash.hash_bytes,
            "and their sizes");
  const auto printed =
      fmt::format("$argon2{}$v=19$m={},t={},p={}${}${}", hash.is_argon2id ? "id" : "i", hash.memory_kib,
                  hash.passes, hash.parallelism, to_base64_unpadded(*salt), to_base64_unpadded(*made));
  must_hold(printed == hash.phc, "an accepted PHC text prints back the same");
  must_hold(hash.is_ours ? hash.phc == stored : stored.ends_with(hash.phc), "and is what was stored");
}

/// Cheap enough to be run a thousand times a second.
bool is_cheap(const StoredHash& hash) {
  if (const auto* argon2 = std::get_if<Argon2Hash>(&hash)) return argon2->memory_kib * argon2->passes <= 256;
  if (const auto* scrypt = std::get_if<ScryptHash>(&hash)) return scrypt->n * scrypt->r * scrypt->p <= 256;
  if (const auto* pbkdf2 = std::get_if<Pbkdf2Hash>(&hash)) return pbkdf2->iterations <= 64;
  return false;
}

}  // namespace

KEYWARD_FUZZ_TARGET(phc) {
  const std::string_view stored = as_text(input);
  const auto hash = parse_stored_hash(stored);
  must_hold(check_stored_hash(stored).has_value() == hash.has_value(),
            "what is read can be run, and nothing else");
  if (!hash) {
    must_hold(is_sentence(hash.error().message), "a refusal is a sentence");
    must_hold(verify_memory_bytes(stored) == 0, "what would not run takes no memory");
    return;
  }
  must_hold(verify_memory_bytes(stored) <= 2 * password_memory_max_bytes, "verifying has its bound");
  if (const auto* argon2 = std::get_if<Argon2Hash>(&*hash)) check_argon2(*argon2, stored);
  if (const auto* scrypt = std::get_if<ScryptHash>(&*hash)) {
    must_hold(128 * scrypt->n * scrypt->r * scrypt->p <= scrypt_work_max_bytes, "work is capped");
  }
  if (const auto* pbkdf2 = std::get_if<Pbkdf2Hash>(&*hash)) {
    must_hold(pbkdf2->iterations >= 1 && pbkdf2->iterations <= pbkdf2_iterations_max, "work is capped");
  }
  if (!is_cheap(*hash)) return;
  const auto check = blocking_verify_password(Secret{std::string_view{"nobody ever had this"}}, stored, {});
  must_hold(!check.matches, "a password that was never hashed matches nothing");
  must_hold(check.needs_upgrade, "what is weaker than the settings is to be replaced");
}

}  // namespace keyward::fuzz
