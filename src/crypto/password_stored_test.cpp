// Each format that a stored hash may have, and one change at a time that makes it none.
#include "crypto/password_stored.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace keyward::crypto {
namespace {

struct Format {
  std::string good;
  std::vector<std::pair<std::string, std::string>> changes;  // what stands there, and what instead
};

// Of tests/vectors/passwords and password_hash_test.cpp.
const std::vector<Format> formats{
    {"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$riURV4PSJa/e3eQmrJGlOYJDPxC9U92xcN2ttLMpq0w",
     {{"argon2id$", "argon2x$"}, {",p=1", ""}, {"$v=19", ""}, {"m=19456", "n=19456"}}},
    {"$argon2i$v=19$m=19456,t=3,p=1$NAYjQs07UM1AlZCJlbpwOw$GNvnl6eFeXOqBjoIKK/UR06Fl5x8EjZMnFvnpfrGr2w",
     {{"t=3", "t=2"}}},
    {"argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0c2FsdA$"
     "riURV4PSJa/e3eQmrJGlOYJDPxC9U92xcN2ttLMpq0w",
     {{"$v=19", ""}}},
    {"bcrypt$$2b$04$8cg67GcNZ0zoJA4dxfU/YOZ9tgclCJJgRaXfqDmH9todqlCdXYrjm",
     {{"$04", ""}, {"$2b", "$2c"}, {"$04", "$4x"}, {"$04", "$03"}, {"YO", "Y!"}}},
    {"bcrypt_sha256$$2b$04$4U2k/Qd35kf0TELOkullReC5FGdecuXPk/YJx4LEtzC6k4lgbu1Vu", {{"$04", ""}}},
    {"$bcrypt-sha256$v=2,t=2b,r=4$4qXovm.wJV7eX/R74UOYWe$bUc8Tp0fSvL5Bg2jrz7ALzAR31jdM2e",
     {{"$4qXovm.wJV7eX/R74UOYWe", ""},
      {"UOYWe", "UOYW"},
      {"v=2", "v=3"},
      {"t=2b", "2b"},
      {"r=4", "r=100"},
      {"r=4", "r=x"},
      {"v=2,t=2b,r=4", "2b"}}},
    {"$bcrypt-sha256$2b,4$4qXovm.wJV7eX/R74UOYWe$bUc8Tp0fSvL5Bg2jrz7ALzAR31jdM2e", {{",4", ",x"}}},
    {"$scrypt$ln=10,r=8,p=1$8H6PUWrtnRNCyLkX4nzvnQ$8Oc/0i23sSNTTQ/mvahfKY51AhKsbzSu27lmuMJbwfw",
     {{"$8H6PUWrtnRNCyLkX4nzvnQ", ""},
      {",p=1", ""},
      {"ln=10", "n=10"},
      {"r=8", "r=0"},
      {"8Oc/0i23sSNTTQ/mvahfKY51AhKsbzSu27lmuMJbwfw", "8Oc/"}}},
    {"scrypt$16384$Na0Cl2salt$8$5$FeChnS9rACU8eAR2OkJBkdAlU41XkKlFl0tCxFCcd9elF0pVJ2VD6PJzp6t1WjOsuxuU1KIw"
     "+SkUJCDVj/6DJA==",
     {{"$8$5", "$8"}, {"$16384", "$x"}, {"$8$", "$$"}, {"DJA==", "DJA="}, {"$16384", "$16383"}}},
    {"$7$86..../....2/v/X0up9f5/T8k5Z2ztvQ$wKYxRDgfSgbGpNGig44oNPtEPj3aWFkw3l2nUKB9mK1",
     {{"$wKYx", "wKYx"}, {"86..../....2/v/X0up9f5/T8k5Z2ztvQ", "86...."}, {"86", "!6"}, {"wKYxR", "w"}}},
    {"$y$j9T$dg/B3VbBfs3mYvB/QK3S5/$lTNEZ0KBvJhj98cVFaYR6dVbU0Gat/ZH1BCCjMIpLt5",
     {{"$dg/B3VbBfs3mYvB/QK3S5/", ""},
      {"j9T", "k9T"},
      {"j9T", "j9"},
      {"j9T", "j!T"},
      {"j9T", "j9U"},
      {"lTNE", "lTN"},
      {"lTNE", "lTN!"}}},
    {"$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0",
     {{"$hRM5", "hRM5"}, {"hRM5", "hRM"}, {"saltsalt", "saltsaltsaltsalt1"}, {"$salt", "$rounds=1e3$salt"}}},
    {"$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/", {{"$my", "my"}, {"myj", "my!"}}},
    {"$pbkdf2$1234$0rq3du4d45xz7v3/HyPE.A$l8sYNNqPm8Pxre60Y/7O5EpmW0o",
     {{"$0rq3du4d45xz7v3/HyPE.A", ""}, {"1234", "12E4"}, {"1234", "0"}}},
    {"$pbkdf2-sha256$1234$S6k1xvh/b22NEULoPae0tg$RWIAds2i7o0fHkVMRI98yAO5GFLDxbMtOcxlvmzrNIU",
     {{"$S6k1xvh/b22NEULoPae0tg", ""}, {"1234", "-1"}, {"S6k1", "S6k+"}, {"NIU", "N+U"}}},
    {"$pbkdf2-sha512$1234$8N47J8T4f28NgbC29p6zlg$.J8yl8vWL/"
     "R4NSxTabf3D9eDhGaX.IOh93hlX.KjSxUszrRlfZfA8wwmLDs/DZVjGL2kmHhX.Zel9nJmOm5sDw",
     {{"$1234", ""}, {"$pbkdf2-sha512", "$pbkdf2-sha256"}}},
    {"pbkdf2_sha1$1234$NaClsalt$QbDz+jOkZgnjzkrCXcm0vLp346A=", {{"$NaClsalt", ""}, {"1234", "x"}}},
    {"pbkdf2_sha256$1234$NaClsalt$R/WDggaLBhbifhgZ3y3w7xlncIIDdoLWJge3n2x4NjE=",
     {{"$NaClsalt", ""}, {"1234", "01234"}, {"NjE=", "NjE"}}},
};

TEST(StoredHash, each_format_is_read_and_none_that_is_spoiled_in_one_place) {
  for (const auto& format : formats) {
    EXPECT_TRUE(parse_stored_hash(format.good)) << format.good;
    for (const auto& [there, instead] : format.changes) {
      auto spoiled = format.good;
      const auto at = spoiled.find(there);
      ASSERT_NE(at, std::string::npos) << format.good << " has no " << there;
      spoiled.replace(at, there.size(), instead);
      const auto parsed = parse_stored_hash(spoiled);
      ASSERT_FALSE(parsed) << spoiled;
      EXPECT_EQ(parsed.error().code, ErrorCode::invalid_input);
      EXPECT_EQ(parsed.error().message, "This password hash is malformed") << spoiled;
    }
  }
}

}  // namespace
}  // namespace keyward::crypto
