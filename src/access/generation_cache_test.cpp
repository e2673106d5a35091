#include "access/generation_cache.hpp"

#include <gtest/gtest.h>

namespace keyward::access {
namespace {

TEST(GenerationCache, finds_what_was_put_and_replaces_it) {
  GenerationCache<int> cache{8};
  EXPECT_EQ(cache.find("a"), nullptr);
  cache.put("a", 1);
  cache.put("a", 2);
  ASSERT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(*cache.find("a"), 2);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(GenerationCache, stays_within_its_bound_whatever_is_put) {
  GenerationCache<int> cache{100};
  for (int i = 0; i < 10'000; ++i) {
    cache.put(std::to_string(i), i);
    ASSERT_LE(cache.size(), 100U);
  }
}

TEST(GenerationCache, keeps_what_is_asked_for_and_forgets_the_rest) {
  GenerationCache<int> cache{100};
  cache.put("wanted", 7);
  cache.put("unwanted", 8);
  for (int i = 0; i < 1000; ++i) {
    cache.put(std::to_string(i), i);
    ASSERT_NE(cache.find("wanted"), nullptr) << i;
  }
  EXPECT_EQ(*cache.find("wanted"), 7);
  EXPECT_EQ(cache.find("unwanted"), nullptr);
}

TEST(GenerationCache, a_value_put_anew_never_shows_its_older_self) {
  GenerationCache<int> cache{4};
  cache.put("a", 1);
  cache.put("b", 1);
  cache.put("c", 1);  // a and b are the older generation now
  cache.put("a", 2);
  for (int i = 0; i < 3; ++i) {
    cache.put("x" + std::to_string(i), i);
    if (const auto* found = cache.find("a")) EXPECT_EQ(*found, 2);
  }
}

}  // namespace
}  // namespace keyward::access
