#include "crypto/password_stored.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "crypto/password_encoding.hpp"

namespace keyward::crypto {
namespace {

constexpr std::size_t stored_max_bytes = 512;
constexpr std::size_t salt_max_bytes = 128;
constexpr std::size_t hash_min_bytes = 16;
constexpr std::size_t hash_max_bytes = 128;
constexpr std::uint64_t crypt_memory_bytes = 64ULL * 1024;

std::unexpected<Error> fail_malformed() {
  return fail(ErrorCode::invalid_input, "This password hash is malformed");
}
std::unexpected<Error> fail_too_costly() {
  return fail(ErrorCode::invalid_input, "This password hash asks for more work than is allowed");
}

bool is_plausible(const Bytes& salt, const Bytes& hash) {
  return salt.size() <= salt_max_bytes && hash.size() >= hash_min_bytes && hash.size() <= hash_max_bytes;
}

/// `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`
Result<StoredHash> parse_argon2(std::string_view stored) {
  const auto fields = split_fields<6>(stored);
  if (!fields || !(*fields)[0].empty()) return fail_malformed();
  const auto& [nothing, variant, version, costs, salt_text, hash_text] = *fields;
  if (variant == "argon2d")
    return fail(ErrorCode::invalid_input, "Argon2d password hashes are not supported");
  if (variant != "argon2id" && variant != "argon2i") return fail_malformed();
  if (version != "v=19")
    return fail(ErrorCode::invalid_input, "Only Argon2 hashes of version 19 are supported");
  const auto cost = split_fields<3>(costs, ',');
  if (!cost) return fail_malformed();
  const auto memory_kib = parse_named_number((*cost)[0], "m");
  const auto passes = parse_named_number((*cost)[1], "t");
  const auto parallelism = parse_named_number((*cost)[2], "p");
  const auto salt = parse_base64(salt_text, Base64::unpadded);
  const auto hash = parse_base64(hash_text, Base64::unpadded);
  if (!memory_kib || !passes || !parallelism || !salt || !hash) return fail_malformed();
  if (!is_plausible(*salt, *hash) || salt->size() < 8) return fail_malformed();
  if (*passes == 0 || *parallelism == 0 || *memory_kib / 8 < *parallelism) return fail_malformed();
  if (variant == "argon2i" && *passes < 3) return fail_malformed();  // libsodium's floor for argon2i
  const bool costly = std::uint64_t{*memory_kib} * 1024 > password_memory_max_bytes ||
                      *passes > argon2_passes_max || *parallelism > argon2_parallelism_max;
  if (costly) return fail_too_costly();
  return Argon2Hash{std::string{stored}, variant == "argon2id", *memory_kib, *passes,
                    *parallelism,        salt->size(),          hash->size()};
}

Result<StoredHash> parse_django_argon2(std::string_view stored) {
  auto parsed = parse_argon2(stored.substr(std::string_view{"argon2"}.size()));
  if (parsed) std::get<Argon2Hash>(*parsed).is_ours = false;
  return parsed;
}

Result<StoredHash> parse_bcrypt_as(std::string_view hash, Prehash prehash) {
  const auto fields = split_fields<4>(hash);
  if (!fields || !(*fields)[0].empty()) return fail_malformed();
  const auto& [nothing, version, cost_text, salt_and_hash] = *fields;
  if (version != "2a" && version != "2b" && version != "2y") return fail_malformed();
  if (!is_made_of(cost_text, "0123456789", 2)) return fail_malformed();
  const int cost = (cost_text[0] - '0') * 10 + (cost_text[1] - '0');
  if (cost < 4 || !is_made_of(salt_and_hash, bcrypt_alphabet, 22 + 31)) return fail_malformed();
  if (std::cmp_greater(cost, bcrypt_cost_max)) return fail_too_costly();
  return CryptHash{std::string{hash}, true, prehash, crypt_memory_bytes};
}

Result<StoredHash> parse_bcrypt(std::string_view stored) { return parse_bcrypt_as(stored, Prehash::none); }

/// `bcrypt$$2b$…` and `bcrypt_sha256$$2b$…`
Result<StoredHash> parse_django_bcrypt(std::string_view stored) {
  return parse_bcrypt_as(stored.substr(stored.find('$') + 1), Prehash::none);
}
Result<StoredHash> parse_django_bcrypt_sha256(std::string_view stored) {
  return parse_bcrypt_as(stored.substr(stored.find('$') + 1), Prehash::sha256_hex);
}

/// `$bcrypt-sha256$v=2,t=2b,r=12$salt$checksum`, and in version 1 `$bcrypt-sha256$2b,12$salt$checksum`
Result<StoredHash> parse_passlib_bcrypt_sha256(std::string_view stored) {
  const auto fields = split_fields<5>(stored);
  if (!fields) return fail_malformed();
  const auto& [nothing, name, parameters, salt, checksum] = *fields;
  if (salt.size() != 22) return fail_malformed();
  auto prehash = Prehash::sha256_base64;
  std::string_view version;
  std::optional<std::uint32_t> cost;
  if (const auto three = split_fields<3>(parameters, ',')) {
    if ((*three)[0] != "v=2" || !(*three)[1].starts_with("t=")) return fail_malformed();
    prehash = Prehash::hmac_sha256_base64;
    version = (*three)[1].substr(2);
    cost = parse_named_number((*three)[2], "r");
  } else if (const auto two = split_fields<2>(parameters, ',')) {
    version = (*two)[0];
    cost = parse_number((*two)[1]);
  }
  if (!cost || *cost > 99) return fail_malformed();
  std::string hash = "$";
  hash.append(version).append(*cost < 10 ? "$0" : "$").append(std::to_string(*cost));
  hash.append("$").append(salt).append(checksum);
  return parse_bcrypt_as(hash, prehash);
}

Result<void> check_scrypt_cost(std::uint64_t n, std::uint64_t r, std::uint64_t p) {
  if (n < 2 || !std::has_single_bit(n) || r == 0 || p == 0) return fail_malformed();
  // Each is held down first, so that the products cannot wrap.
  if (n > (1ULL << 24U) || r > 1024 || p > 1024) return fail_too_costly();
  if (128 * n * r > password_memory_max_bytes || 128 * n * r * p > scrypt_work_max_bytes)
    return fail_too_costly();
  return {};
}

Result<StoredHash> make_scrypt(ScryptHash scrypt) {
  if (!is_plausible(scrypt.salt, scrypt.hash)) return fail_malformed();
  if (auto cost = check_scrypt_cost(scrypt.n, scrypt.r, scrypt.p); !cost) return fail_from(cost);
  return scrypt;
}

/// `$scrypt$ln=16,r=8,p=1$salt$checksum`
Result<StoredHash> parse_passlib_scrypt(std::string_view stored) {
  const auto fields = split_fields<5>(stored);
  if (!fields) return fail_malformed();
  const auto cost = split_fields<3>((*fields)[2], ',');
  if (!cost) return fail_malformed();
  const auto log2_n = parse_named_number((*cost)[0], "ln");
  const auto r = parse_named_number((*cost)[1], "r");
  const auto p = parse_named_number((*cost)[2], "p");
  const auto salt = parse_base64((*fields)[3], Base64::unpadded);
  const auto hash = parse_base64((*fields)[4], Base64::unpadded);
  if (!log2_n || !r || !p || !salt || !hash) return fail_malformed();
  if (*log2_n > 24) return fail_too_costly();
  return make_scrypt({*salt, *hash, 1ULL << *log2_n, *r, *p});
}

/// `scrypt$N$salt$r$p$hash`
Result<StoredHash> parse_django_scrypt(std::string_view stored) {
  const auto fields = split_fields<6>(stored);
  if (!fields) return fail_malformed();
  const auto n = parse_number((*fields)[1]);
  const auto r = parse_number((*fields)[3]);
  const auto p = parse_number((*fields)[4]);
  const auto hash = parse_base64((*fields)[5], Base64::padded);
  if (!n || !r || !p || !hash) return fail_malformed();
  const BytesView salt = as_bytes((*fields)[2]);
  return make_scrypt({Bytes(salt.begin(), salt.end()), *hash, *n, *r, *p});
}

/// crypt(3) `$7$` N (one character), r and p (five each), salt `$` hash. The salt is its text; passlib writes
/// some with characters that libxcrypt turns down, so scrypt is computed here without it.
Result<StoredHash> parse_crypt_scrypt(std::string_view stored) {
  const auto fields = split_fields<4>(stored);
  if (!fields || (*fields)[2].size() < 11) return fail_malformed();
  const std::string_view setting = (*fields)[2];
  const auto log2_n = parse_crypt64(setting[0]);
  const auto r = parse_crypt64_uint30(setting.substr(1, 5));
  const auto p = parse_crypt64_uint30(setting.substr(6, 5));
  const auto hash = parse_crypt64_bytes((*fields)[3]);
  if (!log2_n || !r || !p || !hash || hash->size() != 32) return fail_malformed();
  if (*log2_n > 24) return fail_too_costly();
  const BytesView salt = as_bytes(setting.substr(11));
  return make_scrypt({Bytes(salt.begin(), salt.end()), *hash, 1ULL << *log2_n, *r, *p});
}

/// crypt(3) `$y$`: only what crypt_gensalt(3) writes, `j` N `T` (r = 32) or `j` N `5` (r = 8). The full
/// grammar has room for costs that we would have to hold down one by one.
Result<StoredHash> parse_yescrypt(std::string_view stored) {
  const auto fields = split_fields<5>(stored);
  if (!fields || (*fields)[2].size() != 3 || (*fields)[2][0] != 'j') return fail_malformed();
  const auto n_character = parse_crypt64((*fields)[2][1]);
  const char r_character = (*fields)[2][2];
  if (!n_character || (r_character != 'T' && r_character != '5')) return fail_malformed();
  if (!is_made_of((*fields)[4], bcrypt_alphabet, 43)) return fail_malformed();
  if (*n_character >= 24) return fail_too_costly();
  const std::uint64_t r = r_character == 'T' ? 32 : 8;
  const std::uint64_t memory_bytes = (128ULL << (*n_character + 1)) * r;
  if (memory_bytes > password_memory_max_bytes) return fail_too_costly();
  return CryptHash{std::string{stored}, false, Prehash::none, memory_bytes};
}

/// crypt(3) `$6$` and `$5$`, `[rounds=N$]salt$hash`
Result<StoredHash> parse_sha_crypt(std::string_view stored) {
  std::string_view rest = stored.substr(3);
  if (rest.starts_with("rounds=")) {
    const auto rounds = parse_named_number(rest.substr(0, rest.find('$')), "rounds");
    if (!rounds || *rounds < 1000) return fail_malformed();
    if (*rounds > sha_crypt_rounds_max) return fail_too_costly();
    rest.remove_prefix(std::min(rest.size(), rest.find('$') + 1));
  }
  const auto fields = split_fields<2>(rest);
  const std::size_t hash_size = stored.starts_with("$6$") ? 86 : 43;
  if (!fields || (*fields)[0].size() > 16 || !is_made_of((*fields)[1], bcrypt_alphabet, hash_size))
    return fail_malformed();
  return CryptHash{std::string{stored}, false, Prehash::none, crypt_memory_bytes};
}

Result<StoredHash> make_pbkdf2(Pbkdf2Hash pbkdf2) {
  constexpr std::array<std::size_t, 3> digest_bytes{20, 32, 64};
  if (!is_plausible(pbkdf2.salt, pbkdf2.hash) || pbkdf2.iterations == 0) return fail_malformed();
  if (pbkdf2.hash.size() != digest_bytes[std::to_underlying(pbkdf2.digest)]) return fail_malformed();
  if (pbkdf2.iterations > pbkdf2_iterations_max) return fail_too_costly();
  return pbkdf2;
}

/// `$pbkdf2-sha256$rounds$salt$checksum`
template <Pbkdf2Digest digest>
Result<StoredHash> parse_passlib_pbkdf2(std::string_view stored) {
  const auto fields = split_fields<5>(stored);
  if (!fields) return fail_malformed();
  const auto iterations = parse_number((*fields)[2]);
  const auto salt = parse_base64((*fields)[3], Base64::adapted);
  const auto hash = parse_base64((*fields)[4], Base64::adapted);
  if (!iterations || !salt || !hash) return fail_malformed();
  return make_pbkdf2({*salt, *hash, digest, *iterations});
}

/// `pbkdf2_sha256$iterations$salt$hash`
template <Pbkdf2Digest digest>
Result<StoredHash> parse_django_pbkdf2(std::string_view stored) {
  const auto fields = split_fields<4>(stored);
  if (!fields) return fail_malformed();
  const auto iterations = parse_number((*fields)[1]);
  const auto hash = parse_base64((*fields)[3], Base64::padded);
  if (!iterations || !hash) return fail_malformed();
  const BytesView salt = as_bytes((*fields)[2]);
  return make_pbkdf2({Bytes(salt.begin(), salt.end()), *hash, digest, *iterations});
}

struct Format {
  std::string_view prefix;
  Result<StoredHash> (*parse)(std::string_view stored);
};

constexpr std::array formats{
    Format{"$argon2", parse_argon2},
    Format{"argon2$argon2", parse_django_argon2},
    Format{"$2", parse_bcrypt},
    Format{"bcrypt$$2", parse_django_bcrypt},
    Format{"bcrypt_sha256$$2", parse_django_bcrypt_sha256},
    Format{"$bcrypt-sha256$", parse_passlib_bcrypt_sha256},
    Format{"$scrypt$", parse_passlib_scrypt},
    Format{"scrypt$", parse_django_scrypt},
    Format{"$7$", parse_crypt_scrypt},
    Format{"$y$", parse_yescrypt},
    Format{"$6$", parse_sha_crypt},
    Format{"$5$", parse_sha_crypt},
    Format{"$pbkdf2$", parse_passlib_pbkdf2<Pbkdf2Digest::sha1>},
    Format{"$pbkdf2-sha256$", parse_passlib_pbkdf2<Pbkdf2Digest::sha256>},
    Format{"$pbkdf2-sha512$", parse_passlib_pbkdf2<Pbkdf2Digest::sha512>},
    Format{"pbkdf2_sha1$", parse_django_pbkdf2<Pbkdf2Digest::sha1>},
    Format{"pbkdf2_sha256$", parse_django_pbkdf2<Pbkdf2Digest::sha256>},
};

}  // namespace

Result<StoredHash> parse_stored_hash(std::string_view stored) {
  const bool printable = std::ranges::all_of(stored, [](char c) { return c > 0x20 && c < 0x7F; });
  if (stored.size() > stored_max_bytes || !printable) return fail_malformed();
  for (const auto& format : formats) {
    if (stored.starts_with(format.prefix)) return format.parse(stored);
  }
  return fail(ErrorCode::invalid_input, "This is not a password hash of a known format");
}

}  // namespace keyward::crypto
