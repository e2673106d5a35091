#include "crypto/aead.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "crypto/master_key.hpp"
#include "crypto/system_random.hpp"

namespace keyward::crypto {
namespace {

struct Aead : testing::Test {
  SystemRandom random;
  MasterKey master = MasterKey::generate(random);
  Secret key = master.derive("signing-keys");
};

TEST_F(Aead, what_was_sealed_opens) {
  for (const std::string_view plain : {"", "x", "a private key"}) {
    const auto sealed = seal(key, Secret{plain}, as_bytes("kid-1"), random);
    EXPECT_EQ(sealed.size(), 1 + 24 + plain.size() + 16);
    const auto opened = open(key, sealed, as_bytes("kid-1"));
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->text(), plain);
  }
}

TEST_F(Aead, two_seals_of_one_value_differ) {
  EXPECT_NE(seal(key, Secret{"same"}, {}, random), seal(key, Secret{"same"}, {}, random));
}

TEST_F(Aead, any_changed_or_missing_byte_is_refused) {
  const auto sealed = seal(key, Secret{"a private key"}, as_bytes("kid-1"), random);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] ^= 1;
    EXPECT_FALSE(open(key, changed, as_bytes("kid-1"))) << i;
    EXPECT_FALSE(open(key, BytesView{sealed}.first(i), as_bytes("kid-1"))) << i;
  }
  auto longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(open(key, longer, as_bytes("kid-1")));
}

TEST_F(Aead, another_place_or_another_key_is_refused) {
  const auto sealed = seal(key, Secret{"a private key"}, as_bytes("kid-1"), random);
  EXPECT_FALSE(open(key, sealed, as_bytes("kid-2")));
  EXPECT_FALSE(open(key, sealed, {}));
  EXPECT_FALSE(open(master.derive("provider-secrets"), sealed, as_bytes("kid-1")));
}

TEST_F(Aead, a_key_of_another_length_is_a_mistake_of_ours) {
  EXPECT_THROW(seal(Secret{"short"}, Secret{"x"}, {}, random), std::invalid_argument);
}

TEST_F(Aead, master_key_survives_its_text_and_its_other_spellings) {
  const auto text = master.to_text();
  EXPECT_EQ(text.size(), 44);  // 43 digits and a line end
  const auto parsed = MasterKey::parse(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->derive("a").bytes().size(), 32);
  EXPECT_EQ(to_hex(parsed->derive("a").bytes()), to_hex(master.derive("a").bytes()));

  std::set<std::string> derived;
  for (const std::string_view spelling :
       {"0001fe02030405060708090a0b0c0d0e0f101112131415161718191a1b1cfbff",
        "0001FE02030405060708090A0B0C0D0E0F101112131415161718191A1B1CFBFF\n",
        "AAH-AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhsc-_8", "AAH-AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhsc-_8=\n",
        "AAH+AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhsc+/8", " AAH+AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhsc+/8= "}) {
    const auto key_of_spelling = MasterKey::parse(Secret{spelling});
    ASSERT_TRUE(key_of_spelling) << spelling;
    derived.insert(to_hex(key_of_spelling->derive("a").bytes()));
  }
  EXPECT_EQ(derived.size(), 1);
}

TEST_F(Aead, master_key_of_another_length_or_alphabet_is_refused) {
  for (const std::string_view text :
       {"", "changeme", "000102030405060708090a0b0c0d0e0f",
        "0001fe02030405060708090a0b0c0d0e0f101112131415161718191a1b1cfbff00",
        "0001fe02030405060708090a0b0c0d0e0f101112131415161718191a1b1cfbfg",
        "AAH-AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhsc-_8A", "AAH-AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhsc-_9"}) {
    EXPECT_FALSE(MasterKey::parse(Secret{text})) << text;
  }
}

TEST_F(Aead, master_key_of_bytes_has_32_of_them) {
  for (const std::size_t size : {0, 31, 33, 64})
    EXPECT_FALSE(MasterKey::from_bytes(Secret::of_size(size))) << size;
  EXPECT_TRUE(MasterKey::from_bytes(Secret::of_size(32)));
}

TEST_F(Aead, purposes_have_their_own_keys) {
  EXPECT_NE(to_hex(master.derive("a").bytes()), to_hex(master.derive("b").bytes()));
  EXPECT_NE(to_hex(master.derive("").bytes()), to_hex(master.derive("a").bytes()));
}

}  // namespace
}  // namespace keyward::crypto
