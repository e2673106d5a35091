// IP addresses and networks as values: what a client's address is compared, counted and shown by.
//
// IPv4 (dotted decimal, RFC 6943 §3.1.1 strict) and IPv6 (RFC 4291 §2.2, shown as RFC 5952 has it). An IPv4
// address in IPv6's form (::ffff:192.0.2.1) is the IPv4 address: one client, one spelling.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace keyward::text {

class IpAddress {
 public:
  static constexpr unsigned size_bits = 128;

  /// Nothing for anything else: a port, brackets, a zone, a leading zero, white space.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] std::string to_text() const;
  /// The first `bits` of the 128; the rest is zero. An IPv4 address has 96 bits before its own 32.
  [[nodiscard]] IpAddress prefix(unsigned bits) const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, size_bits / 8> bytes_{};  // IPv4 as ::ffff:a.b.c.d
};

/// A network in CIDR notation.
class IpNetwork {
 public:
  /// `10.0.0.0/8`, `fd00::/8`, or one address. Error: invalid_input, with a sentence for the operator:
  /// `10.0.0.1/8` (bits behind its prefix) is more likely a slip than a wish.
  static Result<IpNetwork> parse(std::string_view text);

  [[nodiscard]] bool contains(const IpAddress& address) const { return address.prefix(bits_) == first_; }
  /// All of IPv6, or all of IPv4: by itself, or within a network of IPv6 that its mapped form lies in (::/8).
  [[nodiscard]] bool is_everybody() const {
    return bits_ <= v4_offset_bits && contains(IpAddress::parse("0.0.0.0").value());
  }

 private:
  static constexpr unsigned v4_offset_bits = 96;
  IpAddress first_;
  unsigned bits_ = IpAddress::size_bits;
};

}  // namespace keyward::text
