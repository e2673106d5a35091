#include "storage/postgres/url.hpp"

#include <algorithm>
#include <memory>
#include <ranges>
#include <stdexcept>

#include "base/secret.hpp"
#include "storage/postgres/libpq.hpp"

namespace keyward::storage::postgres {
namespace {

struct Free {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using Parts = std::unique_ptr<PQconninfoOption, Free>;

/// Null when libpq cannot read it.
Parts parse(std::string_view url) {
  std::string text{url};
  char* message = nullptr;
  Parts parts{PQconninfoParse(text.c_str(), &message)};
  PQfreemem(message);
  wipe(text);
  return parts;
}

/// "" when it is not given.
std::string_view value_of(const Parts& parts, std::string_view keyword) {
  for (const auto* part = parts.get(); part->keyword != nullptr; ++part) {
    if (part->keyword == keyword && part->val != nullptr) return part->val;
  }
  return {};
}

/// Between commas, where an empty item counts: libpq's default.
std::vector<std::string> items_of(std::string_view list) {
  std::vector<std::string> items;
  if (list.empty()) return items;
  for (const auto item : std::views::split(list, ',')) items.emplace_back(item.begin(), item.end());
  return items;
}

/// RFC 3986 §2.3; what else there is gets encoded.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"-._~,/:[]"}.contains(c);
}

void add_encoded(std::string& to, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_plain(c)) {
      to += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    to += '%';
    to += digits[byte >> 4U];
    to += digits[byte & 15U];
  }
}

/// libpq looks at them only when it connects; what is none may be a password whose host was forgotten.
bool are_ports(std::string_view list) {
  return std::ranges::all_of(items_of(list), [](const std::string& port) {
    return port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  });
}

}  // namespace

bool is_url(std::string_view text) {
  return text.starts_with("postgres://") || text.starts_with("postgresql://");
}

Result<void> check_url(std::string_view url) {
  const Parts parts = is_url(url) && !url.contains('\0') ? parse(url) : nullptr;
  if (parts && are_ports(value_of(parts, "port"))) return {};
  return fail(ErrorCode::invalid_input,
              "The database's URL cannot be read. It is postgres://USER:PASSWORD@HOST:PORT/DATABASE, and "
              "characters such as / @ : # % in a part are written as %2F and the like.");
}

Peers peers_of(std::string_view url) {
  const Parts parts = parse(url);
  if (!parts) throw std::logic_error("peers_of: not a good URL");
  Peers peers{.hosts = items_of(value_of(parts, "host")),
              .has_to_prove_itself = value_of(parts, "sslmode") == "verify-full"};
  // An address counts where both are given; the name is then for the certificate alone.
  const auto addresses = items_of(value_of(parts, "hostaddr"));
  peers.hosts.resize(std::max(peers.hosts.size(), addresses.size()));
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (!addresses[i].empty()) peers.hosts[i] = addresses[i];
  }
  return peers;
}

std::string shown_url(std::string_view url) {
  const Parts parts = parse(url);
  if (!parts) throw std::logic_error("shown_url: not a good URL");
  const auto value_of = [&](std::string_view keyword) { return postgres::value_of(parts, keyword); };
  std::string shown = "postgres://";
  add_encoded(shown, value_of("user"));
  if (!value_of("password").empty()) shown += ":********";
  if (!value_of("user").empty() || !value_of("password").empty()) shown += '@';
  // The rest as options: several hosts and socket folders have no place in the authority that always fits.
  const bool plain_host = !value_of("host").empty() && !value_of("host").contains('/');
  if (plain_host) add_encoded(shown, value_of("host"));
  if (plain_host && !value_of("port").empty()) (shown += ':') += value_of("port");
  shown += '/';
  add_encoded(shown, value_of("dbname"));
  char separator = '?';
  for (const auto* part = parts.get(); part->keyword != nullptr; ++part) {
    const std::string_view keyword = part->keyword;
    if (part->val == nullptr || keyword == "user" || keyword == "password" || keyword == "dbname") continue;
    if (plain_host && (keyword == "host" || keyword == "port")) continue;
    shown += separator;
    separator = '&';
    (shown += keyword) += '=';
    if (part->dispchar[0] == '*') {
      shown += "********";
    } else {
      add_encoded(shown, part->val);
    }
  }
  return shown;
}

}  // namespace keyward::storage::postgres
