// WipingMemory: where JSON that holds a password is parsed. Each block is overwritten before it is freed.
#pragma once

#include <boost/json/memory_resource.hpp>
#include <boost/json/storage_ptr.hpp>
#include <cstddef>

#include "base/secret.hpp"

namespace keyward::text {

/// `WipingMemory memory; auto value = parse_json(text, {}, &memory);` The memory outlives every value made in
/// it.
class WipingMemory final : public boost::json::memory_resource {
 public:
  WipingMemory() = default;
  explicit WipingMemory(boost::json::memory_resource* upstream) : upstream_(upstream) {}

 private:
  void* do_allocate(std::size_t size_bytes, std::size_t alignment_bytes) override {
    return upstream_->allocate(size_bytes, alignment_bytes);
  }
  void do_deallocate(void* block, std::size_t size_bytes, std::size_t alignment_bytes) override {
    wipe(block, size_bytes);
    upstream_->deallocate(block, size_bytes, alignment_bytes);
  }
  [[nodiscard]] bool do_is_equal(const boost::json::memory_resource& other) const noexcept override {
    return this == &other;
  }

  boost::json::memory_resource* upstream_ = boost::json::storage_ptr{}.get();
};

}  // namespace keyward::text
