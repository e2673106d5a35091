#include "base/uuid.hpp"

#include <algorithm>
#include <chrono>
#include <span>

#include "base/bytes.hpp"

namespace keyward {

namespace {

std::optional<std::uint8_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

constexpr bool dash_at(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

}  // namespace

Uuid Uuid::make_v7(Time now, Random& random) {
  Uuid id;
  random.fill(std::span{id.bytes}.subspan(6));
  const auto unix_ms = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(unix_ms >> (40U - 8U * i));
  // The twelve bits behind the milliseconds are a fraction of one, so that ids of one thread sort as they
  // were made (RFC 9562 §6.2, method 3); 62 random bits are left.
  const auto us =
      static_cast<unsigned>(now.time_since_epoch().count() - static_cast<std::int64_t>(unix_ms) * 1000);
  const unsigned fraction = us * 4096 / 1000;
  id.bytes[6] = static_cast<std::uint8_t>(0x70U | fraction >> 8U);
  id.bytes[7] = static_cast<std::uint8_t>(fraction & 0xffU);
  id.bytes[8] = static_cast<std::uint8_t>(0x80U | (id.bytes[8] & 0x3fU));
  return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  std::size_t byte = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (dash_at(i)) {
      if (text[i++] != '-') return std::nullopt;
      continue;
    }
    const auto high = hex_digit(text[i]);
    const auto low = hex_digit(text[i + 1]);
    if (!high || !low) return std::nullopt;
    id.bytes[byte++] = static_cast<std::uint8_t>(*high << 4U | *low);
    i += 2;
  }
  return id;
}

std::string Uuid::to_string() const {
  auto text = to_hex(bytes);
  for (const std::size_t position : {8, 13, 18, 23}) text.insert(position, 1, '-');
  return text;
}

}  // namespace keyward
