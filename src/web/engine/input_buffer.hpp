// InputBuffer: the bytes that a connection has read and not yet used. They are wiped when used: they hold
// tokens and passwords.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/secret.hpp"

namespace keyward::web::engine {

class InputBuffer {
 public:
  InputBuffer() = default;
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  ~InputBuffer() { wipe(data_.get() + begin_, end_ - begin_); }

  [[nodiscard]] std::string_view text() const { return {data_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  /// Room behind the bytes, which leaves them where they are.
  [[nodiscard]] std::span<char> tail() { return {data_.get() + end_, capacity_ - end_}; }

  /// Makes the tail at least `room_bytes` long; views into the buffer are void after it.
  void make_room(std::size_t room_bytes) {
    if (capacity_ - end_ >= room_bytes) return;
    const std::size_t size = end_ - begin_;
    if (capacity_ - size >= room_bytes) {
      std::memmove(data_.get(), data_.get() + begin_, size);
      wipe(data_.get() + size, begin_);
    } else {
      const std::size_t capacity = std::max(capacity_ * 2, size + room_bytes);
      auto data = std::make_unique_for_overwrite<char[]>(capacity);
      if (size != 0) std::memcpy(data.get(), data_.get() + begin_, size);
      wipe(data_.get() + begin_, size);
      data_ = std::move(data);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = size;
  }
  void commit(std::size_t count) { end_ += count; }
  /// Lets go of the memory of a buffer without bytes.
  void release() {
    if (!empty()) return;
    data_.reset();
    capacity_ = 0;
  }
  /// Wipes the first bytes and goes on behind them.
  void consume(std::size_t count) {
    wipe(data_.get() + begin_, count);
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Wipes what stands behind the first `keep_bytes`.
  void truncate(std::size_t keep_bytes) {
    wipe(data_.get() + begin_ + keep_bytes, end_ - begin_ - keep_bytes);
    end_ = begin_ + keep_bytes;
  }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace keyward::web::engine
