#include "crypto/password_hash.hpp"

#include <crypt.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <new>
#include <stdexcept>

#include "crypto/hash_memory.hpp"
#include "crypto/password_encoding.hpp"
#include "crypto/password_stored.hpp"
#include "crypto/sodium.hpp"

namespace keyward::crypto {
namespace {

constexpr std::size_t bcrypt_password_max_bytes = 72;
constexpr std::size_t made_salt_bytes = 16;
constexpr std::size_t made_hash_bytes = 32;

/// libsodium and OpenSSL take char pointers, and some of them no null pointer.
const char* characters(const Secret& secret) { return secret.empty() ? "" : secret.text().data(); }

bool are_equal(BytesView one, BytesView other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

/// Nothing when this password cannot have this hash, which takes no work to see.
using Verdict = std::optional<bool>;

Verdict blocking_verify(const Secret& password, const Argon2Hash& stored) {
  prepare_sodium();
  // The declared parameter is an array of 128: never hand over less.
  std::string phc = stored.phc;
  phc.resize(std::max<std::size_t>(phc.size() + 1, crypto_pwhash_argon2id_STRBYTES), '\0');
  const auto verify =
      stored.is_argon2id ? crypto_pwhash_argon2id_str_verify : crypto_pwhash_argon2i_str_verify;
  const ReusedHashMemory reused;
  errno = 0;
  if (verify(phc.c_str(), characters(password), password.size()) == 0) return true;
  if (errno == ENOMEM) throw std::bad_alloc{};
  return false;
}

/// What bcrypt is given in place of the password.
Secret prehash_password(const Secret& password, const CryptHash& stored) {
  if (stored.prehash == Prehash::none) return password.copy();
  auto digest = Secret::of_size(32);
  unsigned size = 32;
  auto* out = digest.mutable_bytes().data();
  if (stored.prehash == Prehash::hmac_sha256_base64) {
    const std::string salt = stored.hash.substr(std::string_view{"$2b$12$"}.size(), 22);
    const auto* message = reinterpret_cast<const unsigned char*>(characters(password));
    if (HMAC(EVP_sha256(), salt.data(), static_cast<int>(salt.size()), message, password.size(), out,
             &size) == nullptr) {
      throw std::runtime_error("HMAC-SHA256 failed");
    }
  } else if (EVP_Digest(characters(password), password.size(), out, &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  if (stored.prehash != Prehash::sha256_hex) return to_base64_secret(digest.bytes());
  auto hex = Secret::of_size(65);
  sodium_bin2hex(reinterpret_cast<char*>(hex.mutable_bytes().data()), hex.size(), digest.bytes().data(),
                 digest.size());
  return Secret{hex.bytes().first(64)};
}

struct WipedCryptData {
  crypt_data data{};
  WipedCryptData() = default;
  WipedCryptData(const WipedCryptData&) = delete;
  WipedCryptData& operator=(const WipedCryptData&) = delete;
  ~WipedCryptData() { wipe(&data, sizeof data); }
};

Verdict blocking_verify(const Secret& password, const CryptHash& stored) {
  const Secret phrase = prehash_password(password, stored);
  const std::size_t phrase_max_bytes =
      stored.is_bcrypt ? bcrypt_password_max_bytes : CRYPT_MAX_PASSPHRASE_SIZE - 1;
  // Past its limit bcrypt would verify a part of the password as if it were the whole; so would anything at a
  // NUL (P3).
  if (phrase.size() > phrase_max_bytes || phrase.text().contains('\0')) return std::nullopt;
  auto terminated = Secret::of_size(phrase.size() + 1);
  std::ranges::copy(phrase.bytes(), terminated.mutable_bytes().begin());
  const auto work = std::make_unique<WipedCryptData>();
  const char* made =
      crypt_rn(characters(terminated), stored.hash.c_str(), &work->data, static_cast<int>(sizeof work->data));
  if (made == nullptr) {
    if (errno == ENOMEM) throw std::bad_alloc{};
    return std::nullopt;
  }
  const std::string_view hash = stored.hash;
  // Slack bits at the end of bcrypt's salt are written back as zeros: there only the hash itself is compared.
  const std::size_t compared = stored.is_bcrypt ? 31 : hash.size();
  const std::string_view made_hash = made;
  if (made_hash.size() != hash.size()) return false;
  return are_equal(as_bytes(made_hash.substr(hash.size() - compared)),
                   as_bytes(hash.substr(hash.size() - compared)));
}

Verdict blocking_verify(const Secret& password, const ScryptHash& stored) {
  Bytes made(stored.hash.size());
  constexpr std::uint64_t slack_bytes =
      64ULL * 1024 * 1024;  // scrypt's own bookkeeping, on top of 128 * N * r
  if (EVP_PBE_scrypt(characters(password), password.size(), stored.salt.data(), stored.salt.size(), stored.n,
                     stored.r, stored.p, password_memory_max_bytes + slack_bytes, made.data(),
                     made.size()) != 1) {
    throw std::runtime_error("scrypt failed");
  }
  return are_equal(made, stored.hash);
}

const EVP_MD* digest_of(Pbkdf2Digest digest) {
  switch (digest) {
    case Pbkdf2Digest::sha1:
      return EVP_sha1();
    case Pbkdf2Digest::sha256:
      return EVP_sha256();
    case Pbkdf2Digest::sha512:
      return EVP_sha512();
  }
  return nullptr;
}

Verdict blocking_verify(const Secret& password, const Pbkdf2Hash& stored) {
  Bytes made(stored.hash.size());
  if (PKCS5_PBKDF2_HMAC(characters(password), static_cast<int>(password.size()), stored.salt.data(),
                        static_cast<int>(stored.salt.size()), static_cast<int>(stored.iterations),
                        digest_of(stored.digest), static_cast<int>(made.size()), made.data()) != 1) {
    throw std::runtime_error("PBKDF2 failed");
  }
  return are_equal(made, stored.hash);
}

bool is_current(const StoredHash& stored, const Argon2Settings& settings) {
  const auto* argon2 = std::get_if<Argon2Hash>(&stored);
  return argon2 != nullptr && argon2->is_ours && argon2->is_argon2id &&
         argon2->memory_kib >= settings.memory_kib && argon2->passes >= settings.passes &&
         argon2->parallelism >= settings.parallelism && argon2->salt_bytes >= made_salt_bytes &&
         argon2->hash_bytes >= made_hash_bytes;
}

struct MemoryOf {
  std::uint64_t operator()(const Argon2Hash& stored) const { return std::uint64_t{stored.memory_kib} * 1024; }
  std::uint64_t operator()(const CryptHash& stored) const { return stored.memory_bytes; }
  std::uint64_t operator()(const ScryptHash& stored) const { return 128 * stored.n * stored.r; }
  std::uint64_t operator()(const Pbkdf2Hash&) const { return 4096; }
};

}  // namespace

Result<void> check_argon2_settings(const Argon2Settings& settings) {
  if (settings.parallelism != 1) {
    return fail(ErrorCode::invalid_input,
                "argon2_parallelism must be 1: hashes are computed by one thread each");
  }
  if (settings.passes == 0 || settings.passes > argon2_passes_max) {
    return fail(ErrorCode::invalid_input,
                fmt::format("argon2_iterations must be 1 to {}", argon2_passes_max));
  }
  if (std::uint64_t{settings.memory_kib} * 1024 > password_memory_max_bytes) {
    return fail(ErrorCode::invalid_input,
                fmt::format("argon2_memory_kib must be at most {}", password_memory_max_bytes / 1024));
  }
  constexpr Argon2Settings floor{};
  constexpr std::uint32_t floor_of_one_pass_kib = 47104;
  const auto floor_kib = settings.passes == 1 ? floor_of_one_pass_kib : floor.memory_kib;
  if (settings.memory_kib < floor_kib) {
    return fail(ErrorCode::invalid_input,
                fmt::format("argon2_memory_kib must be at least {} when argon2_iterations is {}", floor_kib,
                            settings.passes));
  }
  return {};
}

std::string blocking_hash_password(const Secret& password, const Argon2Settings& settings) {
  prepare_sodium();
  const ReusedHashMemory reused;
  std::array<char, crypto_pwhash_argon2id_STRBYTES> phc{};
  if (crypto_pwhash_argon2id_str(phc.data(), characters(password), password.size(), settings.passes,
                                 std::size_t{settings.memory_kib} * 1024) != 0) {
    throw std::runtime_error("Argon2id failed: out of memory");
  }
  return phc.data();
}

PasswordCheck blocking_verify_password(const Secret& password, std::string_view stored,
                                       const Argon2Settings& settings) {
  const auto parsed = parse_stored_hash(stored);
  if (!parsed) return {};
  const auto verdict =
      std::visit([&password](const auto& hash) { return blocking_verify(password, hash); }, *parsed);
  return {verdict.value_or(false), !is_current(*parsed, settings), verdict.has_value()};
}

Result<void> check_stored_hash(std::string_view stored) {
  auto parsed = parse_stored_hash(stored);
  if (!parsed) return fail_from(parsed);
  return {};
}

std::size_t verify_memory_bytes(std::string_view stored) {
  const auto parsed = parse_stored_hash(stored);
  return parsed ? static_cast<std::size_t>(std::visit(MemoryOf{}, *parsed)) : 0;
}

std::string make_unmatchable_hash(const Argon2Settings& settings) {
  prepare_sodium();
  // To find a password for a random hash is to break Argon2id; nobody ever knew one.
  std::array<std::uint8_t, made_salt_bytes + made_hash_bytes> random{};
  randombytes_buf(random.data(), random.size());
  const BytesView bytes{random};
  return fmt::format("$argon2id$v=19$m={},t={},p={}${}${}", settings.memory_kib, settings.passes,
                     settings.parallelism, to_base64_unpadded(bytes.first(made_salt_bytes)),
                     to_base64_unpadded(bytes.subspan(made_salt_bytes)));
}

}  // namespace keyward::crypto
