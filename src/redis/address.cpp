#include "redis/address.hpp"

#include <charconv>
#include <optional>

#include "text/ip_address.hpp"

namespace keyward::redis {
namespace {

constexpr int databases_max = 65'536;

std::unexpected<Error> refuse(std::string_view what) {
  return fail(ErrorCode::invalid_input,
              std::string{what} +
                  ". It is redis://USER:PASSWORD@HOST:PORT/DATABASE (rediss:// with TLS) or unix:///PATH, "
                  "and characters such as / @ : # % in a part are written as %2F and the like");
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// RFC 3986 §2.1. Nothing for a bad escape or a control character.
std::optional<std::string> decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());  // no growth, which would leave a copy of a password
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hex_digit(text[i + 1]);
      const auto low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

std::optional<int> parse_number(std::string_view text, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0 || number > most)
    return std::nullopt;
  return number;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.find_first_of("/@?#% []") == std::string_view::npos;
}

Result<void> read_credentials(Address& address, std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return refuse("has a user without a password");
  auto user = decode(text.substr(0, colon));
  auto password = decode(text.substr(colon + 1));
  if (!user || !password) return refuse("has a user or a password that cannot be read");
  address.user = std::move(*user);
  address.password = Secret::take(*password);
  return {};
}

Result<void> read_host(Address& address, std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {  // IPv6
    const auto end = text.find(']');
    if (end == std::string_view::npos) return refuse("has an address that cannot be read");
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!text::IpAddress::parse(host) || (!port.empty() && !port.starts_with(':')))
      return refuse("has an address that cannot be read");
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (!is_host(host)) return refuse("names no host");
  address.host = host;
  if (port.empty()) return {};
  const auto number = parse_number(port.substr(1), 65'535);
  if (!number || *number == 0) return refuse("has no port between 1 and 65535");
  address.port = static_cast<std::uint16_t>(*number);
  return {};
}

Result<void> read_database(Address& address, std::string_view text) {
  const auto number = parse_number(text, databases_max);
  if (!number) return refuse("has a database that is no number");
  address.database = *number;
  return {};
}

Result<Address> parse_socket(std::string_view rest) {
  Address address;
  constexpr std::string_view option = "?db=";
  if (const auto at = rest.find(option); at != std::string_view::npos) {
    if (auto read = read_database(address, rest.substr(at + option.size())); !read) return fail_from(read);
    rest = rest.substr(0, at);
  }
  if (const auto at = rest.find('@'); at != std::string_view::npos && at < rest.find('/')) {
    if (auto read = read_credentials(address, rest.substr(0, at)); !read) return fail_from(read);
    rest = rest.substr(at + 1);
  }
  auto path = decode(rest);
  if (!path || !path->starts_with('/') || path->size() < 2) return refuse("names no path of a socket");
  address.socket_path = std::move(*path);
  return address;
}

}  // namespace

Result<Address> parse_url(std::string_view url) {
  constexpr std::string_view in_clear = "redis://";
  constexpr std::string_view with_tls = "rediss://";
  constexpr std::string_view of_socket = "unix://";
  if (url.starts_with(of_socket)) return parse_socket(url.substr(of_socket.size()));
  Address address{.tls = url.starts_with(with_tls)};
  if (!address.tls && !url.starts_with(in_clear)) return refuse("is not understood");
  auto rest = url.substr(address.tls ? with_tls.size() : in_clear.size());
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    const auto database = rest.substr(slash + 1);
    if (!database.empty()) {
      if (auto read = read_database(address, database); !read) return fail_from(read);
    }
    rest = rest.substr(0, slash);
  }
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    if (auto read = read_credentials(address, rest.substr(0, at)); !read) return fail_from(read);
    rest = rest.substr(at + 1);
  }
  if (auto read = read_host(address, rest); !read) return fail_from(read);
  return address;
}

std::string shown_url(std::string_view url) {
  const auto begin = url.find("://") + 3;
  const auto at = url.rfind('@');
  if (at == std::string_view::npos) return std::string{url};
  const auto colon = url.find(':', begin);
  return std::string{url.substr(0, colon)} + ":********" + std::string{url.substr(at)};
}

std::string to_text(const Address& address) {
  if (!address.socket_path.empty()) return address.socket_path;
  const bool is_v6 = address.host.contains(':');
  return (is_v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

bool is_in_clear(const Address& address) {
  if (address.tls || !address.socket_path.empty() || address.host == "localhost") return false;
  const auto ip = text::IpAddress::parse(address.host);
  return !ip || !(address.host == "::1" || address.host.starts_with("127."));
}

}  // namespace keyward::redis
