#include "crypto/hash_memory.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/limits.hpp"
#include "base/secret.hpp"

namespace keyward::crypto {
namespace {

constexpr std::size_t smallest_bytes = 1024UL * 1024;  // Argon2's blocks are never that few (P8)

void* map(void* address, std::size_t length, int protection, int flags, int file, off_t offset) {
  // The system call returns the address or -1, which is MAP_FAILED.
  return reinterpret_cast<void*>(  // NOLINT(performance-no-int-to-ptr)
      syscall(SYS_mmap, address, length, protection, flags, file, offset));
}
int unmap(void* address, std::size_t length) {
  return static_cast<int>(syscall(SYS_munmap, address, length));
}

/// What one thread keeps. Without constructor and destructor, as every mmap() of the process comes by.
struct Kept {
  void* begin = nullptr;
  std::size_t bytes = 0;
  std::size_t wanted_bytes = 0;  // 0: no hash is at work
  bool lent = false;

  void give_back() {
    if (begin == nullptr || lent) return;
    unmap(begin, bytes);
    begin = nullptr;
    bytes = 0;
  }

  /// Plain private memory, as Argon2's blocks are: nothing else is what a hash asks for.
  [[nodiscard]] bool is_for(std::size_t length, int protection, int flags) const {
    constexpr int plain = MAP_PRIVATE | MAP_ANONYMOUS;
    constexpr int harmless = MAP_POPULATE | MAP_NORESERVE;
    return wanted_bytes != 0 && !lent && length >= smallest_bytes && protection == (PROT_READ | PROT_WRITE) &&
           (flags & ~harmless) == plain;
  }

  /// Null: let the kernel do it.
  void* lend(std::size_t length) {
    if (length != bytes) give_back();
    if (length != wanted_bytes || length > limits::hash_memory_kept_max_bytes) return nullptr;
    if (begin == nullptr) {
      void* made =
          map(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
      if (made == MAP_FAILED) return nullptr;
      if (madvise(made, length, MADV_DONTDUMP) != 0) {
        unmap(made, length);
        return nullptr;
      }
      begin = made;
      bytes = length;
    }
    lent = true;
    return begin;
  }

  /// False: it is not this thread's kept memory, or not the whole of it, which is then the kernel's to unmap.
  bool take_back(const void* address, std::size_t length) {
    if (!lent || address != begin) return false;
    wipe(begin, length);
    lent = false;
    if (length == bytes) return true;
    begin = nullptr;
    bytes = 0;
    return false;
  }
};

constinit thread_local Kept kept;

struct GivesBackAtThreadEnd {
  GivesBackAtThreadEnd() = default;
  GivesBackAtThreadEnd(const GivesBackAtThreadEnd&) = delete;
  GivesBackAtThreadEnd& operator=(const GivesBackAtThreadEnd&) = delete;
  ~GivesBackAtThreadEnd() { kept.give_back(); }
};

}  // namespace

ReusedHashMemory::ReusedHashMemory(std::size_t bytes) {
  [[maybe_unused]] thread_local const GivesBackAtThreadEnd end;
  kept.wanted_bytes = bytes;
}
ReusedHashMemory::~ReusedHashMemory() { kept.wanted_bytes = 0; }

void release_hash_memory() { kept.give_back(); }
std::size_t kept_hash_memory_bytes() { return kept.bytes; }

}  // namespace keyward::crypto

#if KEYWARD_OWN_MMAP
// Exported, as libraries refer to them. The C library itself does not come by here.
extern "C" {
// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): the C library's names
void* mmap(void* address, std::size_t length, int protection, int flags, int file, off_t offset) noexcept {
  namespace own = keyward::crypto;
  if (address == nullptr && file == -1 && own::kept.is_for(length, protection, flags)) {
    const int before = errno;
    if (void* lent = own::kept.lend(length)) return lent;
    errno = before;  // of a try that the caller knows nothing of
  }
  return own::map(address, length, protection, flags, file, offset);
}

int munmap(void* address, std::size_t length) noexcept {
  namespace own = keyward::crypto;
  if (own::kept.take_back(address, length)) return 0;
  return own::unmap(address, length);
}
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)
}
#endif
