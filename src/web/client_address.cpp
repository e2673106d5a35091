#include "web/client_address.hpp"

#include <algorithm>
#include <optional>
#include <ranges>

#include "base/limits.hpp"
#include "web/engine/field_syntax.hpp"
#include "web/forwarded.hpp"

namespace keyward::web {

namespace {

constexpr std::string_view header_of_hops = "X-Forwarded-For";
constexpr std::string_view header_of_elements = "Forwarded";

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

/// The lines of a header, the last first: several lines are one list (RFC 9110 §5.3).
class LinesFromTheEnd {
 public:
  LinesFromTheEnd(std::span<const Header> headers, std::string_view name) : headers_(headers), name_(name) {}

  std::optional<std::string_view> next() {
    while (!headers_.empty()) {
      const Header& header = headers_.back();
      headers_ = headers_.first(headers_.size() - 1);
      if (engine::equal_without_case(header.name, name_)) return header.value;
    }
    return std::nullopt;
  }

 private:
  std::span<const Header> headers_;
  std::string_view name_;
};

/// The hops of X-Forwarded-For, the nearest first. Nothing: there are no more, or what stands there is none.
class XForwardedFor {
 public:
  explicit XForwardedFor(std::span<const Header> headers) : lines_(headers, header_of_hops) {}

  std::optional<text::IpAddress> next() {
    if (!line_) line_ = lines_.next();
    if (!line_) return std::nullopt;
    const auto comma = line_->rfind(',');
    const auto hop = comma == std::string_view::npos ? *line_ : line_->substr(comma + 1);
    if (comma == std::string_view::npos) {
      line_.reset();
    } else {
      line_ = line_->substr(0, comma);
    }
    return parse_hop(engine::trim(hop));
  }

 private:
  LinesFromTheEnd lines_;
  std::optional<std::string_view> line_;
};

/// The same of Forwarded.
class Forwarded {
 public:
  explicit Forwarded(std::span<const Header> headers) : lines_(headers, header_of_elements) {}

  std::optional<text::IpAddress> next() {
    if (nodes_.empty()) {
      const auto line = lines_.next();
      if (!line) return std::nullopt;
      auto nodes = read_forwarded(*line, limits::forwarded_hops_max);
      if (!nodes) return std::nullopt;
      nodes_ = std::move(*nodes);
    }
    const auto address = address_of_node(nodes_.back());
    nodes_.pop_back();
    return address;
  }

 private:
  LinesFromTheEnd lines_;
  std::vector<std::string> nodes_;
};

template <class Hops>
text::IpAddress walk(text::IpAddress known, Hops hops, const TrustedProxies& proxies) {
  for (std::size_t count = 0; count < limits::forwarded_hops_max && proxies.trusts(known); ++count) {
    const auto hop = hops.next();
    if (!hop) break;
    known = *hop;
  }
  return known;
}

/// Loopback, and what RFC 1918, RFC 4193 and RFC 6598 set aside, and links (RFC 3927, RFC 4291 §2.5.6).
bool is_private(const text::IpAddress& address) {
  static const auto networks =
      TrustedProxies::parse(
          "127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 169.254.0.0/16, "
          "fc00::/7, fe80::/10")
          .value();
  return networks.trusts(address);
}

}  // namespace

Result<TrustedProxies> TrustedProxies::parse(std::string_view text) {
  TrustedProxies proxies;
  proxies.text_ = engine::trim(text);
  if (proxies.text_.empty()) return proxies;
  for (const auto part : std::views::split(text, ',')) {
    const auto written = engine::trim(std::string_view{part});
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
                           const TrustedProxies& proxies, ProxyHeader proxy_header) {
  const auto known = text::IpAddress::parse(peer);
  if (!known) return std::string{peer};
  const auto client = proxy_header == ProxyHeader::forwarded ? walk(*known, Forwarded{headers}, proxies)
                                                             : walk(*known, XForwardedFor{headers}, proxies);
  return client.to_text();
}

bool names_a_client(std::span<const Header> headers) {
  return std::ranges::any_of(headers, [](const Header& header) {
    return engine::equal_without_case(header.name, header_of_hops) ||
           engine::equal_without_case(header.name, header_of_elements);
  });
}

bool is_unlisted_proxy(std::string_view peer, const TrustedProxies& proxies) {
  const auto address = text::IpAddress::parse(peer);
  return address && is_private(*address) && !proxies.trusts(*address);
}

}  // namespace keyward::web
