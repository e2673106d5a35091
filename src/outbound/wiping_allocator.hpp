// WipingAllocator: memory of containers that may hold tokens. Each block is overwritten before it is freed,
// the ones that growth leaves behind among them.
#pragma once

#include <cstddef>
#include <memory>

#include "base/secret.hpp"

namespace keyward::outbound {

template <class T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <class Other>
  // NOLINTNEXTLINE(google-explicit-constructor): containers convert it
  WipingAllocator(const WipingAllocator<Other>&) {}

  T* allocate(std::size_t count) { return std::allocator<T>{}.allocate(count); }
  void deallocate(T* block, std::size_t count) noexcept {
    wipe(block, count * sizeof(T));
    std::allocator<T>{}.deallocate(block, count);
  }
  template <class Other>
  bool operator==(const WipingAllocator<Other>&) const {
    return true;
  }
};

}  // namespace keyward::outbound
