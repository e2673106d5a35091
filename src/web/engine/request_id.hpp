// RequestIds: names for requests that brought none. Unique, not secret: 15 characters, which a std::string
// keeps inline.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>

namespace keyward::web::engine {

class RequestIds {
 public:
  /// The loop's number keeps the loops of one process apart; 30 random bits keep processes apart.
  explicit RequestIds(unsigned loop) {
    std::random_device random;
    write(prefix_, random());
    prefix_.back() = alphabet[loop % alphabet.size()];
  }

  void next_into(std::string& id) {
    std::array<char, 8> number{};
    write(number, counter_++);
    id.assign(prefix_.data(), prefix_.size());
    id.append(number.data(), number.size());
  }

 private:
  static constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

  template <std::size_t Size>
  static void write(std::array<char, Size>& text, std::uint64_t value) {
    for (std::size_t i = Size; i-- > 0; value >>= 5U) text[i] = alphabet[value & 31U];
  }

  std::array<char, 7> prefix_{};
  std::uint64_t counter_ = 0;
};

}  // namespace keyward::web::engine
