#include "crypto/password_hash.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "crypto/password_encoding.hpp"

namespace keyward::crypto {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr Argon2Settings settings{};

PasswordCheck verify(std::string_view password, std::string_view stored) {
  return blocking_verify_password(Secret{password}, stored, settings);
}

TEST(PasswordHash, P8_a_made_hash_says_its_settings_and_has_its_own_salt) {
  const auto one = blocking_hash_password(Secret{"violet orbit"}, settings);
  const auto two = blocking_hash_password(Secret{"violet orbit"}, settings);
  EXPECT_THAT(one, StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(one, two);
  const auto fields = split_fields<6>(one);
  ASSERT_TRUE(fields.has_value());
  EXPECT_EQ(parse_base64((*fields)[4], Base64::unpadded)->size(), 16U);
  EXPECT_EQ(parse_base64((*fields)[5], Base64::unpadded)->size(), 32U);

  const auto right = verify("violet orbit", one);
  EXPECT_TRUE(right.matches);
  EXPECT_FALSE(right.needs_upgrade);
  EXPECT_TRUE(right.hashed);
  const auto wrong = verify("violet orbis", one);
  EXPECT_FALSE(wrong.matches);
  EXPECT_TRUE(wrong.hashed);
}

TEST(PasswordHash, P8_settings_under_the_floor_are_refused_by_name) {
  struct Row {
    Argon2Settings settings;
    std::string named;  // empty: accepted
  };
  const std::array rows{
      Row{{19456, 2, 1}, ""},
      Row{{19455, 2, 1}, "argon2_memory_kib must be at least 19456"},
      Row{{19456, 1, 1}, "argon2_memory_kib must be at least 47104"},
      Row{{47104, 1, 1}, ""},
      Row{{47103, 1, 1}, "argon2_memory_kib must be at least 47104"},
      Row{{8192, 10, 1}, "argon2_memory_kib must be at least 19456"},
      Row{{19456, 0, 1}, "argon2_iterations must be 1 to 64"},
      Row{{19456, 65, 1}, "argon2_iterations must be 1 to 64"},
      Row{{19456, 2, 4}, "argon2_parallelism must be 1"},
      Row{{19456, 2, 0}, "argon2_parallelism must be 1"},
      Row{{1048576, 2, 1}, ""},
      Row{{1048577, 2, 1}, "argon2_memory_kib must be at most 1048576"},
      Row{{0xFFFFFFFF, 2, 1}, "argon2_memory_kib must be at most 1048576"},
  };
  for (const auto& row : rows) {
    const auto result = check_argon2_settings(row.settings);
    EXPECT_EQ(result.has_value(), row.named.empty()) << row.settings.memory_kib << "/" << row.settings.passes;
    if (!result) EXPECT_THAT(result.error().message, HasSubstr(row.named));
  }
}

TEST(PasswordHash, P9_weaker_settings_need_an_upgrade_and_better_ones_do_not) {
  const auto stored = blocking_hash_password(Secret{"p"}, {47104, 2, 1});
  const auto with = [&stored](Argon2Settings now) {
    return blocking_verify_password(Secret{"p"}, stored, now);
  };
  EXPECT_FALSE(with({47104, 2, 1}).needs_upgrade);
  EXPECT_FALSE(with({19456, 2, 1}).needs_upgrade);
  EXPECT_TRUE(with({47105, 2, 1}).needs_upgrade);
  EXPECT_TRUE(with({19456, 3, 1}).needs_upgrade);
  EXPECT_TRUE(with({19456, 3, 1}).matches);
}

TEST(PasswordHash, P3_every_byte_of_a_password_counts) {
  for (const std::size_t size : {1UL, 72UL, 73UL, 128UL, 1023UL, 1024UL}) {
    const std::string password(size, 'p');
    const auto stored = blocking_hash_password(Secret{password}, settings);
    EXPECT_TRUE(verify(password, stored).matches) << size;
    EXPECT_FALSE(verify(password + "x", stored).matches) << size;
    EXPECT_FALSE(verify(password + "\0x"s, stored).matches) << size;
    EXPECT_FALSE(verify(password + "\0"s, stored).matches) << size;
    EXPECT_FALSE(verify(std::string(size, 'P'), stored).matches) << size;
    EXPECT_FALSE(verify(password.substr(1), stored).matches) << size;
  }
  const auto with_nul = blocking_hash_password(Secret{"p\0x"s}, settings);
  EXPECT_TRUE(verify("p\0x"s, with_nul).matches);
  EXPECT_FALSE(verify("p\0y"s, with_nul).matches);
  EXPECT_FALSE(verify("p", with_nul).matches);
}

// Made with bcrypt 4.0.1 at cost 4 from 72, and from 100, times the letter a: the same hash fits both, as
// bcrypt cuts.
constexpr std::string_view bcrypt_of_72 = "$2b$04$nlkmhBOSefRFInas6dTFNeOnLMILy6dmlqRuidhIhYdwj9WkgmVzG";

TEST(PasswordHash, P3_bcrypt_does_not_verify_a_part_for_the_whole) {
  const std::string password(72, 'a');
  EXPECT_TRUE(verify(password, bcrypt_of_72).matches);
  for (const auto& longer : {password + "a", password + "x", std::string(100, 'a'), password + "\0x"s}) {
    const auto check = verify(longer, bcrypt_of_72);
    EXPECT_FALSE(check.matches);
    EXPECT_FALSE(check.hashed);  // so that the caller makes up for the time
  }
  EXPECT_FALSE(verify(std::string(71, 'a'), bcrypt_of_72).matches);
  EXPECT_FALSE(verify(std::string(72, 'A'), bcrypt_of_72).matches);
}

TEST(PasswordHash, P3_bcrypt_does_not_stop_at_a_nul) {
  constexpr std::string_view bcrypt_of_secret =
      "$2b$04$QjXesxzR7X9iwofBwYkx.uQg1mKdgploY3lcOCvkqJ4kVUDiDbcMu";  // of "secret", as above
  EXPECT_TRUE(verify("secret", bcrypt_of_secret).matches);
  EXPECT_FALSE(verify("secret\0x"s, bcrypt_of_secret).matches);
  EXPECT_FALSE(verify("secret\0"s, bcrypt_of_secret).matches);
}

constexpr std::string_view salt_and_hash =
    "$c2FsdHNhbHRzYWx0c2FsdA$riURV4PSJa/e3eQmrJGlOYJDPxC9U92xcN2ttLMpq0w";

TEST(PasswordHash, absurd_costs_are_refused_before_any_work) {
  const std::string key43 = std::string(42, 'a') + "0";
  const std::array table{
      "$argon2id$v=19$m=1048577,t=2,p=1"s + salt_and_hash.data(),
      "$argon2id$v=19$m=4294967295,t=2,p=1"s + salt_and_hash.data(),
      "$argon2id$v=19$m=19456,t=65,p=1"s + salt_and_hash.data(),
      "$argon2id$v=19$m=19456,t=2,p=65"s + salt_and_hash.data(),
      "$2b$17$b8puLsrDov8Ctm0A5ZZd1e61B6x6LF5CxQNK.sc543pfJfcqNyTmK"s,
      "$2b$31$b8puLsrDov8Ctm0A5ZZd1e61B6x6LF5CxQNK.sc543pfJfcqNyTmK"s,
      "$bcrypt-sha256$v=2,t=2b,r=31$mQE5fFYyVZHII6Jc5dKQiu$o/q1JpktPzz4c2Yz9VyuVLzFsRpNdJe"s,
      "$scrypt$ln=21,r=8,p=1$GQNgLKWUMgYgZExpjbGWkg$Gte8Y8RG6QmVN9JfsDhjRydg5kQrhLA4A9xTxGg29xc"s,
      "$scrypt$ln=63,r=8,p=1$GQNgLKWUMgYgZExpjbGWkg$Gte8Y8RG6QmVN9JfsDhjRydg5kQrhLA4A9xTxGg29xc"s,
      "$scrypt$ln=2,r=4294967295,p=1$GQNgLKWUMgYgZExpjbGWkg$Gte8Y8RG6QmVN9JfsDhjRydg5kQrhLA4A9xTxGg29xc"s,
      "$scrypt$ln=16,r=8,p=1000$GQNgLKWUMgYgZExpjbGWkg$Gte8Y8RG6QmVN9JfsDhjRydg5kQrhLA4A9xTxGg29xc"s,
      "$7$z6..../....NaClNaClNaCl$" + key43,
      "$7$8zzzzz/....NaClNaClNaCl$" + key43,
      "$y$jzT$pLgO6hWTI.joKoXYVTGxC0$" + key43,
      "$y$jGT$pLgO6hWTI.joKoXYVTGxC0$" + key43,
      "$6$rounds=999999999$saltsalt$" + std::string(86, 'a'),
      "$pbkdf2-sha256$4294967295$gBCCkFKq9Z4zZoyRUsoZww$MZ4zkGuiVWnc8hdkEAgoXd7oCPxgq3fFiDWORatGDrE"s,
      "pbkdf2_sha256$5000001$NaClsalt$R/WDggaLBhbifhgZ3y3w7xlncIIDdoLWJge3n2x4NjE="s,
  };
  for (const auto& stored : table) {
    const auto result = check_stored_hash(stored);
    ASSERT_FALSE(result.has_value()) << stored;
    EXPECT_THAT(result.error().message, HasSubstr("more work")) << stored;
    EXPECT_EQ(verify_memory_bytes(stored), 0U);
    const auto check = verify("p", stored);
    EXPECT_FALSE(check.matches || check.hashed) << stored;
  }
}

TEST(PasswordHash, what_is_no_hash_is_refused_without_work) {
  const std::string good = "$argon2id$v=19$m=19456,t=2,p=1"s + salt_and_hash.data();
  ASSERT_TRUE(check_stored_hash(good).has_value());
  const std::array table{
      ""s,
      "secret"s,
      "$"s,
      "!"s,
      "*"s,
      "*0"s,
      good + "$"s,
      good + "="s,
      good + " "s,
      good + "\0"s,
      " " + good,
      "x" + good,
      "$argon2id$v=16$m=19456,t=2,p=1"s + salt_and_hash.data(),
      "$argon2d$v=19$m=19456,t=2,p=1"s + salt_and_hash.data(),
      "$argon2id$v=19$m=19456,p=1,t=2"s + salt_and_hash.data(),
      "$argon2id$v=19$m=019456,t=2,p=1"s + salt_and_hash.data(),
      "$argon2id$v=19$m=-1,t=2,p=1"s + salt_and_hash.data(),
      "$argon2id$v=19$m=19456,t=0,p=1"s + salt_and_hash.data(),
      "$argon2id$v=19$m=19456,t=2,p=0"s + salt_and_hash.data(),
      "$argon2id$v=19$m=7,t=2,p=1"s + salt_and_hash.data(),
      "$argon2id$v=19$m=99999999999999999999,t=2,p=1"s + salt_and_hash.data(),
      "$argon2id$v=19$m=19456,t=2,p=1$$riURV4PSJa/e3eQmrJGlOYJDPxC9U92xcN2ttLMpq0w"s,
      "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAA"s,
      "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdB$riURV4PSJa/e3eQmrJGlOYJDPxC9U92xcN2ttLMpq0w"s,
      "$2b$4$b8puLsrDov8Ctm0A5ZZd1e61B6x6LF5CxQNK.sc543pfJfcqNyTmK"s,
      "$2b$03$b8puLsrDov8Ctm0A5ZZd1e61B6x6LF5CxQNK.sc543pfJfcqNyTmK"s,
      "$2x$04$b8puLsrDov8Ctm0A5ZZd1e61B6x6LF5CxQNK.sc543pfJfcqNyTmK"s,
      "$2b$04$b8puLsrDov8Ctm0A5ZZd1e61B6x6LF5CxQNK.sc543pfJfcqNyTm"s,
      "$scrypt$ln=0,r=8,p=1$GQNgLKWUMgYgZExpjbGWkg$Gte8Y8RG6QmVN9JfsDhjRydg5kQrhLA4A9xTxGg29xc"s,
      "scrypt$1000$salt$8$1$FeChnS9rACU8eAR2OkJBkdAlU41XkKlFl0tCxFCcd9el"
      "F0pVJ2VD6PJzp6t1WjOsuxuU1KIw+SkUJCDVj/6DJA=="s,
      "$6$rounds="s,
      "$6$rounds=1000"s,
      "$6$"s,
      "$6$rounds=999$saltsalt$"s + std::string(86, 'a'),
      "$1$saltsalt$abc"s,
      "pbkdf2_sha256$1234$NaClsalt$R/WDggaLBhbifhgZ3y3w7xlncIIDdoLWJge3n2x4NjE"s,
      "pbkdf2_sha256$0$NaClsalt$R/WDggaLBhbifhgZ3y3w7xlncIIDdoLWJge3n2x4NjE="s,
      "pbkdf2_sha256$1234$NaClsalt$AAAAAAAAAAAAAAAAAAAAAA=="s,
      "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99"s,
      std::string(100'000, '$')};
  for (const auto& stored : table) {
    EXPECT_FALSE(check_stored_hash(stored).has_value()) << stored.substr(0, 200);
    const auto check = verify("", stored);
    EXPECT_FALSE(check.matches || check.hashed) << stored.substr(0, 200);
  }
}

TEST(PasswordHash, memory_of_a_stored_hash_is_known_beforehand) {
  EXPECT_EQ(verify_memory_bytes("$argon2id$v=19$m=19456,t=2,p=1"s + salt_and_hash.data()), 19456UL * 1024);
  EXPECT_EQ(verify_memory_bytes(
                "$scrypt$ln=17,r=8,p=1$GQNgLKWUMgYgZExpjbGWkg$Gte8Y8RG6QmVN9JfsDhjRydg5kQrhLA4A9xTxGg29xc"),
            128UL * 1024 * 1024);
  EXPECT_EQ(verify_memory_bytes(""), 0U);
}

TEST(PasswordHash, A6_the_unmatchable_hash_costs_what_a_real_one_costs) {
  const auto dummy = make_unmatchable_hash(settings);
  EXPECT_THAT(dummy, StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(dummy, make_unmatchable_hash(settings));
  EXPECT_EQ(dummy.size(), blocking_hash_password(Secret{"p"}, settings).size());
  const auto check = verify("", dummy);
  EXPECT_FALSE(check.matches);
  EXPECT_TRUE(check.hashed);
  EXPECT_FALSE(check.needs_upgrade);
}

}  // namespace
}  // namespace keyward::crypto
