#include "app/config/storage_url.hpp"

#include <algorithm>

#include "app/config/listen_address.hpp"
#include "storage/postgres/url.hpp"

namespace keyward::app {

std::expected<StorageUrl, std::string> parse_storage_url(std::string_view text) {
  if (storage::postgres::is_url(text)) {
    const auto good = storage::postgres::check_url(text);
    if (!good) return std::unexpected{"is not understood. " + good.error().message};
    return StorageUrl{Secret{text}};
  }
  // Another kind of URL, or libpq's "host=… password=…": nobody calls a file so.
  for (const std::string_view sign : {"://", "host=", "dbname=", "password=", "\n"}) {
    if (text.empty() || text.contains('\0') || text.contains(sign))
      return std::unexpected{
          "must be postgres://USER:PASSWORD@HOST:PORT/DATABASE or the path of a SQLite file"};
  }
  return StorageUrl{Secret{text}};
}

bool is_postgres(const StorageUrl& url) { return storage::postgres::is_url(url.text.text()); }

bool is_open_to_impostors(const StorageUrl& url) {
  if (!is_postgres(url)) return false;
  const auto peers = storage::postgres::peers_of(url.text.text());
  const auto is_here = [](const std::string& host) {
    // A socket is a folder, or @ and a name without a file.
    return host.empty() || host.starts_with('/') || host.starts_with('@') || is_loopback(host);
  };
  return !peers.has_to_prove_itself && !std::ranges::all_of(peers.hosts, is_here);
}

std::string to_text(const StorageUrl& url) {
  return is_postgres(url) ? storage::postgres::shown_url(url.text.text()) : std::string{url.text.text()};
}

}  // namespace keyward::app
