// Hashes made by other people's software (tests/vectors/passwords/stored_hashes.json says which): each
// verifies, and asks to be upgraded.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "crypto/password_hash.hpp"
#include "text/json.hpp"

namespace keyward::domain {
namespace {

using crypto::blocking_verify_password;

struct Vector {
  std::string format;
  std::string password;
  std::string stored;
};

std::string get_text(const text::json::object& object, std::string_view name) {
  return std::string{std::string_view{object.at(name).as_string()}};
}

std::vector<Vector> read_vectors() {
  std::ifstream file{std::string{KEYWARD_TEST_VECTORS} + "/passwords/stored_hashes.json"};
  const std::string content{std::istreambuf_iterator<char>{file}, {}};
  const auto json = text::parse_json(content);
  if (!json) throw std::runtime_error("stored_hashes.json: " + json.error().message);
  std::vector<Vector> vectors;
  for (const auto& entry : json->as_object().at("vectors").as_array()) {
    const auto& object = entry.as_object();
    vectors.push_back({get_text(object, "format"), get_text(object, "password"), get_text(object, "stored")});
  }
  return vectors;
}

bool is_current_argon2id(const Vector& vector) {
  return vector.stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") ||
         vector.stored.starts_with("$argon2id$v=19$m=65536,t=3,p=4$");
}

TEST(StoredHashes, P3_P9_each_foreign_format_verifies_and_needs_an_upgrade) {
  const crypto::Argon2Settings settings;
  std::set<std::string> formats;
  for (const auto& vector : read_vectors()) {
    SCOPED_TRACE(vector.stored);
    ASSERT_TRUE(crypto::check_stored_hash(vector.stored).has_value());
    const auto right = blocking_verify_password(Secret{vector.password}, vector.stored, settings);
    // crypt(3) takes 511 bytes, bcrypt 72; the vectors keep to that.
    EXPECT_TRUE(right.matches);
    EXPECT_TRUE(right.hashed);
    const bool is_short = vector.stored.contains("m=19456,t=2,p=1$") && vector.stored.size() < 97;
    EXPECT_EQ(right.needs_upgrade, !is_current_argon2id(vector) || is_short);
    EXPECT_FALSE(blocking_verify_password(Secret{vector.password + "x"}, vector.stored, settings).matches);
    EXPECT_FALSE(
        blocking_verify_password(Secret{vector.password + std::string("\0x", 2)}, vector.stored, settings)
            .matches);
    formats.insert(vector.format);
  }
  const std::set<std::string> expected{"argon2i",
                                       "argon2id",
                                       "bcrypt",
                                       "crypt",
                                       "django-argon2",
                                       "django-bcrypt",
                                       "django-bcrypt-sha256",
                                       "django-pbkdf2-sha1",
                                       "django-pbkdf2-sha256",
                                       "django-scrypt",
                                       "passlib-bcrypt-sha256-v1",
                                       "passlib-bcrypt-sha256-v2",
                                       "passlib-pbkdf2_sha1",
                                       "passlib-pbkdf2_sha256",
                                       "passlib-pbkdf2_sha512",
                                       "passlib-scrypt",
                                       "scrypt-7"};
  EXPECT_EQ(formats, expected);
}

TEST(StoredHashes, a_spoiled_hash_does_not_verify) {
  const crypto::Argon2Settings settings;
  for (const auto& vector : read_vectors()) {
    // A character in the middle of the hash itself, which stands last in every format.
    std::string spoiled = vector.stored;
    auto& character = spoiled[spoiled.size() - 10];
    character = character == 'a' ? 'b' : 'a';
    EXPECT_FALSE(blocking_verify_password(Secret{vector.password}, spoiled, settings).matches)
        << vector.stored;
  }
}

}  // namespace
}  // namespace keyward::domain
