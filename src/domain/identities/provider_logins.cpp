#include "domain/identities/provider_logins.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include "base/limits.hpp"
#include "crypto/aead.hpp"
#include "crypto/digest.hpp"
#include "text/base64url.hpp"
#include "text/json.hpp"

namespace keyward::domain {

namespace {

namespace json = text::json;

constexpr std::size_t random_bytes = 32;
constexpr std::size_t sealed_max_bytes = 4096;  // a cookie's most, and more than ours ever is
constexpr std::string_view ticket_purpose = "ticket";

/// What is sealed together with the login but not in it.
std::string bound_to(std::string_view provider, std::string_view state) {
  std::string text{provider};
  text += '\n';
  text += state;
  return text;
}

json::object to_json(const Handover& handover) {
  return {{"return_to", handover.return_to}, {"code_challenge", handover.code_challenge}};
}

json::object to_json(const Connecting& connecting) {
  return {{"account", connecting.account_id.to_string()}, {"session", connecting.session_id.to_string()}};
}

std::string text_of(const json::object& object, std::string_view name) {
  return std::string{object.at(name).as_string()};
}

// What is read here was written here: it opened under our key. A shape of another version is an exception.
Handover to_handover(const json::object& object) {
  return {text_of(object, "return_to"), text_of(object, "code_challenge")};
}

Connecting to_connecting(const json::object& object) {
  return {Uuid::parse(text_of(object, "account")).value(), Uuid::parse(text_of(object, "session")).value()};
}

Time to_time(const json::value& value) { return Time{microseconds{value.as_int64()}}; }

std::string seal_json(const Secret& key, const json::object& content, std::string_view bound,
                      Random& random) {
  auto text = json::serialize(content);
  return text::to_base64url(crypto::seal(key, Secret::take(text), as_bytes(bound), random));
}

std::optional<json::object> open_json(const Secret& key, std::string_view sealed, std::string_view bound) {
  if (sealed.size() > sealed_max_bytes) return std::nullopt;
  const auto bytes = text::parse_base64url(sealed);
  if (!bytes) return std::nullopt;
  const auto opened = crypto::open(key, *bytes, as_bytes(bound));
  if (!opened) return std::nullopt;
  auto value = text::parse_json(opened->text());
  if (!value || !value->is_object()) return std::nullopt;
  return std::move(value->as_object());
}

}  // namespace

ProviderLogins::ProviderLogins(const crypto::MasterKey& master_key, Random& random)
    : key_(master_key.derive("provider logins 1")), random_(random) {}

std::string ProviderLogins::make_random_text() const {
  return text::to_base64url(random_.bytes<random_bytes>());
}

std::string ProviderLogins::seal(const ProviderLogin& login, std::string_view state) const {
  json::object content{{"issuer", login.issuer},
                       {"nonce", login.nonce},
                       {"verifier", login.code_verifier},
                       {"handover", to_json(login.handover)},
                       {"expires_at", login.expires_at.time_since_epoch().count()}};
  if (login.connecting) content["connecting"] = to_json(*login.connecting);
  return seal_json(key_, content, bound_to(login.provider, state), random_);
}

std::optional<ProviderLogin> ProviderLogins::open(std::string_view cookie, std::string_view provider,
                                                  std::string_view state, Time now) const {
  const auto content = open_json(key_, cookie, bound_to(provider, state));
  if (!content) return std::nullopt;
  ProviderLogin login{.provider = std::string{provider},
                      .issuer = text_of(*content, "issuer"),
                      .nonce = text_of(*content, "nonce"),
                      .code_verifier = text_of(*content, "verifier"),
                      .handover = to_handover(content->at("handover").as_object()),
                      .connecting = std::nullopt,
                      .expires_at = to_time(content->at("expires_at"))};
  if (const auto* connecting = content->if_contains("connecting"))
    login.connecting = to_connecting(connecting->as_object());
  if (login.expires_at <= now) return std::nullopt;
  return login;
}

std::string ProviderLogins::seal_ticket(const ConnectTicket& ticket) const {
  return seal_json(key_,
                   {{"handover", to_json(ticket.handover)},
                    {"connecting", to_json(ticket.connecting)},
                    {"expires_at", ticket.expires_at.time_since_epoch().count()}},
                   bound_to(ticket.provider, ticket_purpose), random_);
}

std::optional<ConnectTicket> ProviderLogins::open_ticket(std::string_view text, std::string_view provider,
                                                         Time now) const {
  const auto content = open_json(key_, text, bound_to(provider, ticket_purpose));
  if (!content) return std::nullopt;
  ConnectTicket ticket{std::string{provider}, to_handover(content->at("handover").as_object()),
                       to_connecting(content->at("connecting").as_object()),
                       to_time(content->at("expires_at"))};
  if (ticket.expires_at <= now) return std::nullopt;
  return ticket;
}

std::string cookie_suffix(std::string_view state) {
  constexpr std::size_t suffix_bytes = 4;
  const auto hash = crypto::sha256(as_bytes(state));
  return to_hex(BytesView{hash}.first(suffix_bytes));
}

bool use_login(storage::Transaction& transaction, std::string_view state, Time expires_at) {
  const auto hash = crypto::sha256(as_bytes(state));
  return transaction.execute(
             "INSERT INTO used_logins (state_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
             Bytes{hash.begin(), hash.end()}, expires_at) == 1;
}

}  // namespace keyward::domain
