// Secret: bytes that are wiped when they go.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"

namespace keyward {

/// Overwrites memory in a way that the compiler may not leave out.
inline void wipe(void* data, std::size_t size_bytes) noexcept {
  if (size_bytes != 0) explicit_bzero(data, size_bytes);
}
inline void wipe(std::string& text) noexcept {
  wipe(text.data(), text.capacity());
  text.clear();
}

/// A password, a token or a key. Moves, does not copy; never prints itself; is wiped at its end.
/// Its bytes stand in one heap block of exactly their size, so no stale copy is left by growth or by a
/// small-string move.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : Secret(as_bytes(text)) {}
  explicit Secret(BytesView bytes) : data_(new std::uint8_t[bytes.size()]), size_(bytes.size()) {
    if (size_ != 0) std::memcpy(data_.get(), bytes.data(), size_);
  }
  /// Room for `size_bytes`, zeroed, to be written through mutable_bytes().
  static Secret of_size(std::size_t size_bytes) {
    Secret secret;
    secret.data_ = std::make_unique<std::uint8_t[]>(size_bytes);
    secret.size_ = size_bytes;
    return secret;
  }
  /// Takes the text over and wipes the string it came in.
  static Secret take(std::string& text) {
    Secret secret{std::string_view{text}};
    wipe(text);
    return secret;
  }

  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      clear();
      data_ = std::move(other.data_);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~Secret() { clear(); }

  [[nodiscard]] Secret copy() const { return Secret{bytes()}; }
  [[nodiscard]] BytesView bytes() const { return {data_.get(), size_}; }
  [[nodiscard]] std::span<std::uint8_t> mutable_bytes() { return {data_.get(), size_}; }
  [[nodiscard]] std::string_view text() const { return as_text(bytes()); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  void clear() noexcept {
    if (data_) wipe(data_.get(), size_);
    data_.reset();
    size_ = 0;
  }

  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0;
};

}  // namespace keyward
