// Uuid: the ids of everything stored. New ones are UUIDv7 (RFC 9562 §5.7): they sort by the time they were
// made.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace keyward {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// 48 bits of milliseconds, 12 of a fraction of one, then 62 random bits.
  static Uuid make_v7(Time now, Random& random);
  /// The canonical form of 36 characters in either case; nothing for anything else.
  static std::optional<Uuid> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const Uuid&) const = default;
};

}  // namespace keyward

template <>
struct std::hash<keyward::Uuid> {
  std::size_t operator()(const keyward::Uuid& id) const noexcept {
    // The tail of a UUIDv7 is random, so it is its own hash.
    std::size_t value = 0;
    for (std::size_t i = 8; i < 16; ++i) value = (value << 8U) | id.bytes[i];
    return value;
  }
};
