#include "web/client_address.hpp"

#include <algorithm>
#include <optional>
#include <ranges>

#include "base/limits.hpp"
#include "web/engine/field_syntax.hpp"

namespace keyward::web {

namespace {

constexpr std::string_view forwarded_for = "X-Forwarded-For";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_port(std::string_view text) {
  constexpr std::size_t digits_max = 5;
  return !text.empty() && text.size() <= digits_max &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// An address; some proxies write `192.0.2.1:1234` or `[2001:db8::1]:1234`.
std::optional<text::IpAddress> parse_hop(std::string_view hop) {
  if (hop.starts_with('[')) {
    const auto close = hop.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const auto rest = hop.substr(close + 1);
    if (!rest.empty() && !(rest.starts_with(':') && is_port(rest.substr(1)))) return std::nullopt;
    return text::IpAddress::parse(hop.substr(1, close - 1));
  }
  if (std::ranges::count(hop, ':') == 1) {
    const auto colon = hop.find(':');
    if (!is_port(hop.substr(colon + 1))) return std::nullopt;
    hop = hop.substr(0, colon);
  }
  return text::IpAddress::parse(hop);
}

/// The hops of all lines of the header, the nearest first: several lines are one list (RFC 9110 §5.3).
class HopsFromTheRight {
 public:
  explicit HopsFromTheRight(std::span<const Header> headers) : headers_(headers) {}

  std::optional<std::string_view> next() {
    if (!line_ && !take_line()) return std::nullopt;
    const auto comma = line_->rfind(',');
    const auto hop = comma == std::string_view::npos ? *line_ : line_->substr(comma + 1);
    if (comma == std::string_view::npos) {
      line_.reset();
    } else {
      line_ = line_->substr(0, comma);
    }
    return trim(hop);
  }

 private:
  bool take_line() {
    while (!headers_.empty()) {
      const Header& header = headers_.back();
      headers_ = headers_.first(headers_.size() - 1);
      if (!engine::equal_without_case(header.name, forwarded_for)) continue;
      line_ = header.value;
      return true;
    }
    return false;
  }

  std::span<const Header> headers_;
  std::optional<std::string_view> line_;
};

}  // namespace

Result<TrustedProxies> TrustedProxies::parse(std::string_view text) {
  TrustedProxies proxies;
  proxies.text_ = trim(text);
  if (proxies.text_.empty()) return proxies;
  for (const auto part : std::views::split(text, ',')) {
    const auto written = trim(std::string_view{part});
    auto network = text::IpNetwork::parse(written);
    if (!network) return fail_from(network);
    if (network->is_everybody()) {
      return fail(ErrorCode::invalid_input,
                  "`" + std::string{written} + "` trusts everybody: then any caller chooses its own address");
    }
    proxies.networks_.push_back(*network);
  }
  return proxies;
}

bool TrustedProxies::trusts(const text::IpAddress& address) const {
  return std::ranges::any_of(networks_, [&](const auto& network) { return network.contains(address); });
}

std::string client_address(std::string_view peer, std::span<const Header> headers,
                           const TrustedProxies& proxies) {
  auto known = text::IpAddress::parse(peer);
  if (!known) return std::string{peer};
  HopsFromTheRight hops{headers};
  for (std::size_t count = 0; count < limits::forwarded_hops_max && proxies.trusts(*known); ++count) {
    const auto written = hops.next();
    if (!written) break;
    const auto hop = parse_hop(*written);
    if (!hop) break;
    known = hop;
  }
  return known->to_text();
}

}  // namespace keyward::web
