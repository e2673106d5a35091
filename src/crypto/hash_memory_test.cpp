#include "crypto/hash_memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <thread>

#include "base/limits.hpp"
#include "crypto/password_hash.hpp"

namespace keyward::crypto {
namespace {

constexpr Argon2Settings settings{};
constexpr std::size_t hash_bytes = std::size_t{settings.memory_kib} * 1024;

void make_hash() { (void)blocking_hash_password(Secret{"violet orbit"}, settings); }

/// So much is kept after a hash that takes so much; nothing under a sanitizer.
constexpr std::size_t kept(std::size_t bytes) { return keeps_hash_memory ? bytes : 0; }

/// Each test on a thread of its own, which has kept nothing yet.
template <class F>
void on_a_new_thread(F f) {
  std::thread{f}.join();
}

TEST(HashMemory, is_kept_for_the_next_hash_and_given_back_when_told) {
  on_a_new_thread([] {
    make_hash();
    EXPECT_EQ(kept_hash_memory_bytes(), kept(hash_bytes));
    make_hash();
    EXPECT_EQ(kept_hash_memory_bytes(), kept(hash_bytes));
    release_hash_memory();
    EXPECT_EQ(kept_hash_memory_bytes(), 0U);
  });
}

TEST(HashMemory, a_hash_in_used_memory_is_the_hash_in_new_memory) {
  // RFC 9106's function: the argon2 command line tool made this one of "password".
  static constexpr std::string_view made_elsewhere =
      "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE";
  on_a_new_thread([] {
    for (int round = 0; round < 3; ++round) {
      const auto made = blocking_hash_password(Secret{"violet orbit"}, settings);
      EXPECT_TRUE(blocking_verify_password(Secret{"violet orbit"}, made, settings).matches);
      EXPECT_FALSE(blocking_verify_password(Secret{"violet orbis"}, made, settings).matches);
      EXPECT_TRUE(blocking_verify_password(Secret{"password"}, made_elsewhere, settings).matches);
    }
  });
}

TEST(HashMemory, of_another_size_is_not_kept_and_what_was_kept_goes_before_it) {
  on_a_new_thread([] {
    make_hash();
    const Argon2Settings larger{.memory_kib = settings.memory_kib * 2};
    const auto imported = blocking_hash_password(Secret{"violet orbit"}, larger);
    EXPECT_EQ(kept_hash_memory_bytes(), kept(hash_bytes * 2)) << "these are the settings of that call";
    EXPECT_TRUE(blocking_verify_password(Secret{"violet orbit"}, imported, settings).matches);
    EXPECT_EQ(kept_hash_memory_bytes(), kept(hash_bytes * 2));
    (void)blocking_hash_password(Secret{"violet orbit"}, settings);
    EXPECT_EQ(kept_hash_memory_bytes(), kept(hash_bytes));
    EXPECT_TRUE(blocking_verify_password(Secret{"violet orbit"}, imported, settings).matches);
    EXPECT_EQ(kept_hash_memory_bytes(), 0U) << "both at once are more than is reckoned with";
    const Argon2Settings too_large{.memory_kib = limits::hash_memory_kept_max_bytes / 1024 + 1024};
    (void)blocking_hash_password(Secret{"violet orbit"}, too_large);
    EXPECT_EQ(kept_hash_memory_bytes(), 0U);
  });
}

TEST(HashMemory, only_what_a_hash_asks_for_is_lent) {
  on_a_new_thread([] {
    make_hash();
    const ReusedHashMemory reused{hash_bytes};
    constexpr int plain = MAP_PRIVATE | MAP_ANONYMOUS;
    void* guard = mmap(nullptr, hash_bytes, PROT_NONE, plain, -1, 0);
    void* shared = mmap(nullptr, hash_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void* lent = mmap(nullptr, hash_bytes, PROT_READ | PROT_WRITE, plain, -1, 0);
    void* second = mmap(nullptr, hash_bytes, PROT_READ | PROT_WRITE, plain, -1, 0);
    EXPECT_EQ(std::set({guard, shared, lent, second}).size(), 4U);
    EXPECT_EQ(*static_cast<const unsigned char*>(shared), 0);
    EXPECT_EQ(*static_cast<const unsigned char*>(second), 0) << "lent twice";
    for (void* each : {guard, shared, second}) EXPECT_EQ(munmap(each, hash_bytes), 0);
    EXPECT_EQ(munmap(lent, hash_bytes / 2), 0);
    EXPECT_EQ(kept_hash_memory_bytes(), 0U) << "half of it is gone";
    EXPECT_EQ(munmap(static_cast<unsigned char*>(lent) + hash_bytes / 2, hash_bytes / 2), 0);
  });
}

TEST(HashMemory, mappings_outside_of_hashes_are_the_kernels) {
  on_a_new_thread([] {
    make_hash();
    void* one = mmap(nullptr, hash_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(one, MAP_FAILED);
    EXPECT_EQ(*static_cast<const unsigned char*>(one), 0) << "used memory was handed out";
    EXPECT_EQ(munmap(one, hash_bytes), 0);
    EXPECT_EQ(kept_hash_memory_bytes(), kept(hash_bytes));
    EXPECT_EQ(mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
    EXPECT_EQ(errno, EINVAL);
  });
}

TEST(HashMemory, what_a_hash_leaves_is_wiped) {
  on_a_new_thread([] {
    make_hash();
    const ReusedHashMemory reused{hash_bytes};
    for (int round = 0; round < 2; ++round) {
      void* lent = mmap(nullptr, hash_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      const std::span bytes{static_cast<unsigned char*>(lent), hash_bytes};
      EXPECT_TRUE(std::ranges::all_of(bytes, [](auto byte) { return byte == 0; })) << round;
      std::ranges::fill(bytes, 0xa5);
      EXPECT_EQ(munmap(lent, hash_bytes), 0);
      EXPECT_EQ(kept_hash_memory_bytes(), kept(hash_bytes));
    }
  });
}

TEST(HashMemory, stays_out_of_core_dumps) {
  on_a_new_thread([] {
    make_hash();
    // VmFlags of the one mapping of this size has "dd": do not dump.
    std::ifstream maps{"/proc/self/smaps"};
    bool ours = false;
    bool undumped = false;
    for (std::string line; std::getline(maps, line);) {
      if (line.starts_with("Size:")) ours = line.contains(" " + std::to_string(hash_bytes / 1024) + " kB");
      if (ours && line.starts_with("VmFlags:") && line.contains(" dd")) undumped = true;
    }
    EXPECT_EQ(undumped, keeps_hash_memory);
  });
}

}  // namespace
}  // namespace keyward::crypto
