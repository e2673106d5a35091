// keyward key list | rotate
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/commands/command.hpp"
#include "domain/keys/signing_keys.hpp"

namespace keyward::app {

namespace json = boost::json;

int key_list(const CommonFlags& flags) {
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  const auto keys = core->database->blocking_read(domain::list_signing_keys);
  const auto now = core->clock.now();
  json::array items;
  for (const auto& key : keys) {
    const auto status = domain::status_of(key, keys, now);
    if (flags.json) {
      items.push_back(json::object{{"id", key.id},
                                   {"algorithm", key.algorithm},
                                   {"status", domain::to_string(status)},
                                   {"created_at", to_rfc3339(key.created_at)},
                                   {"activates_at", to_rfc3339(key.activates_at)}});
    } else {
      fmt::print("{}  {}  {:8}  signs from {}\n", key.id, key.algorithm, domain::to_string(status),
                 to_rfc3339(key.activates_at));
    }
  }
  if (flags.json)
    fmt::print("{}\n", json::serialize(json::object{{"items", std::move(items)}, {"next", nullptr}}));
  return exit_done;
}

int key_rotate(const CommonFlags& flags, domain::Rotation rotation) {
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  const auto made = core->keys->blocking_rotate(rotation);
  if (!made) return complain(made.error().message);
  fmt::print("{}\n", flags.json ? json::serialize(json::object{{"id", *made}}) : *made);
  return exit_done;
}

}  // namespace keyward::app
