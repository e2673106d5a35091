// The memory that a thread's password hashes share, one after the other.
//
// libsodium maps 19 MiB for each Argon2id hash and unmaps them after it, so that the kernel clears and maps
// some five thousand pages each time: more than half of a hash's time on a virtual machine (measured). It
// takes no allocator, so this program's mmap() and munmap(), which its calls find first, hand out a mapping
// that the thread keeps. They do so between the two ends of a ReusedHashMemory, for what looks like Argon2's
// blocks, and otherwise do what the kernel does. Under the sanitizers, which have their own mmap(), nothing
// is kept.
//
// Threat: what a hash leaves behind. Whoever has all of Argon2's blocks can undo its passes down to the first
// ones, and then try passwords without its cost in memory; so they are wiped before the next hash has them,
// are in no core dump, and go back to the kernel once nobody logs in (release_hash_memory()).
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEYWARD_OWN_MMAP 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define KEYWARD_OWN_MMAP 0
#endif
#endif
#ifndef KEYWARD_OWN_MMAP
#define KEYWARD_OWN_MMAP 1
#endif

namespace keyward::crypto {

/// False under a sanitizer.
inline constexpr bool keeps_hash_memory = KEYWARD_OWN_MMAP != 0;

/// While it lives, a hash of `bytes` on this thread works in memory that the thread keeps. A hash of another
/// size does not, and what is kept goes before it, so that a thread never has both.
class ReusedHashMemory {
 public:
  explicit ReusedHashMemory(std::size_t bytes);
  ReusedHashMemory(const ReusedHashMemory&) = delete;
  ReusedHashMemory& operator=(const ReusedHashMemory&) = delete;
  ~ReusedHashMemory();
};

/// Gives back what this thread keeps. It does so by itself when the thread ends.
void release_hash_memory();

/// Bytes that this thread keeps.
std::size_t kept_hash_memory_bytes();

}  // namespace keyward::crypto
