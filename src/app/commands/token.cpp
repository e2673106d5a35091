// keyward token inspect | verify: compact tokens on standard input, one a line; one JSON line each.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

#include "app/commands/command.hpp"
#include "domain/keys/signing_keys.hpp"
#include "protocol/jose/jwk.hpp"
#include "protocol/jose/jwt.hpp"

namespace keyward::app {

namespace json = boost::json;
namespace jose = protocol::jose;

namespace {

json::value payload_to_json(const std::string& payload) {
  auto parsed = text::parse_json(payload);
  return parsed ? std::move(*parsed) : json::value(payload);
}

json::object describe(std::string_view token, bool valid, std::string_view reason) {
  json::object line{{"valid", valid}};
  if (!reason.empty()) line["reason"] = reason;
  if (const auto parsed = jose::parse_compact(token)) {
    line["header"] = parsed->header;
    line["payload"] = payload_to_json(parsed->payload);
  }
  return line;
}

/// What holds of any JWT of this issuer: `exp`, and `nbf` and `iat` where they stand.
jose::Checked<void> check_claims(const jose::VerifiedJws& token, Time now) {
  const auto claims = jose::parse_claims(token.payload());
  if (!claims) return std::unexpected(claims.error());
  if (auto good = jose::check_expiry(*claims, now, seconds{0}); !good) return good;
  if (auto good = jose::check_not_before(*claims, now, jose::Presence::optional); !good) return good;
  return jose::check_issued_at(*claims, now, jose::Presence::optional);
}

/// Empty when the token is good.
std::string_view find_refusal(std::string_view token, const jose::KeySet& keys, bool signature_only,
                              Time now) {
  const auto verified = jose::verify_compact(token, keys);
  if (!verified) return jose::to_word(verified.error().reason);
  if (signature_only) return {};
  const auto good = check_claims(*verified, now);
  return good ? std::string_view{} : jose::to_word(good.error().reason);
}

Result<jose::KeySet> read_key_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return fail(ErrorCode::not_found, "Cannot read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  // MAC keys too: the file is the caller's own, it did not come over the network.
  auto set = jose::parse_jwk_set(text.str(), jose::MacKeys::accept);
  if (!set) return fail(ErrorCode::invalid_input, path.string() + ": " + set.error().message);
  for (const auto& reason : set->skipped)
    fmt::print(stderr, "keyward: {}: a key was skipped: {}\n", path.string(), reason);
  return std::move(set->keys);
}

/// The keys of the data folder, public parts only: no master key is needed.
Result<jose::KeySet> read_own_keys(const CommonFlags& flags) {
  const auto config = load_config_or_complain(flags);
  if (!config) return fail(ErrorCode::invalid_input, "The configuration has errors");
  auto options = to_database_options(*config);
  options.reader_threads = options.writer_threads = 1;
  options.create = false;
  auto database = storage::Database::open(options);
  if (!database) return fail_from(database);
  const auto rows = (*database)->blocking_read(domain::list_signing_keys);
  jose::KeySet keys;
  const auto now = SystemClock{}.now();
  for (const auto& row : rows) {
    if (domain::status_of(row, rows, now) == domain::KeyStatus::removed) continue;
    auto key = jose::parse_verification_key(std::string_view{row.public_jwk});
    if (!key) return fail_from(key);
    keys.add(std::move(*key));
  }
  return keys;
}

}  // namespace

int token_inspect() {
  int exit_code = exit_done;
  for (std::string line; std::getline(std::cin, line);) {
    const auto parsed = jose::parse_compact(line);
    json::object shown;
    if (parsed) {
      shown = {{"header", parsed->header}, {"payload", payload_to_json(parsed->payload)}};
    } else {
      shown = {{"error", jose::to_word(parsed.error().reason)}, {"detail", parsed.error().detail}};
      exit_code = exit_failed;
    }
    fmt::print("{}\n", json::serialize(shown));
  }
  return exit_code;
}

int token_verify(const CommonFlags& flags, const std::filesystem::path& jwks, bool signature_only) {
  const auto keys = jwks.empty() ? read_own_keys(flags) : read_key_file(jwks);
  if (!keys) return complain(keys.error().message);
  int exit_code = exit_done;
  for (std::string line; std::getline(std::cin, line);) {
    const auto refusal = find_refusal(line, *keys, signature_only, SystemClock{}.now());
    if (!refusal.empty()) exit_code = exit_failed;
    fmt::print("{}\n", json::serialize(describe(line, refusal.empty(), refusal)));
  }
  return exit_code;
}

}  // namespace keyward::app
