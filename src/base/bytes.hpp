// Bytes and how they are seen: the two views that every parser and every crypto call takes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keyward {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The most significant byte first.
constexpr std::array<std::uint8_t, 8> to_big_endian(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes.at(i) = static_cast<std::uint8_t>(number >> (56U - 8U * i));
  return bytes;
}
inline void append_big_endian(Bytes& to, std::uint64_t number) {
  const auto bytes = to_big_endian(number);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

std::string to_hex(BytesView bytes);

}  // namespace keyward
