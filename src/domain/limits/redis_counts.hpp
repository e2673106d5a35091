// RedisCounts: counts in Redis, one atomic script per call (A2 over all nodes).
//
//   PREFIX:LIMIT:KEY   a hash that expires with the window: w window, v version, g generation, c count,
//                      u unsettled, t refusal told
//   PREFIX:counts      where a change is published, if the others are to know: `LIMIT:KEY w v g c LEFT_MS`
//
// Windows are measured by Redis's clock alone: no node's matters. Every call brings what the node knows of
// the key (KnownCount), so a Redis that has come back empty, or has thrown keys away, begins where the
// counting stood. Nothing here is a module's or newer than Redis 6.2; Valkey serves as well.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/limits/limit_count.hpp"
#include "redis/client.hpp"

namespace keyward::domain {

struct Counted {
  Verdict verdict;
  KnownCount known;  // afterwards
};

/// What one store knows of a key.
struct KnownKey {
  LimitClass limit = LimitClass::login;
  LimitKey key{};
  KnownCount known;
};

class RedisCounts {
 public:
  /// For redis::ClientOptions: the client's first script.
  static std::string_view script();

  /// `prefix`: of all keys and channels; no two deployments that share a Redis have the same.
  RedisCounts(redis::Client& client, std::string prefix) : client_(client), prefix_(std::move(prefix)) {}

  /// `publish`: the other nodes are to know. Error unavailable.
  Task<Result<Counted>> take(LimitClass limit, LimitRule rule, LimitKey key, KnownCount before, bool publish,
                             Time now);
  Task<Result<KnownCount>> settle(Reservation taken, Settlement settlement, KnownCount before, bool publish);

  /// `is_truth`: the hash becomes what is known; otherwise it is merged (LimitCount::merge).
  [[nodiscard]] redis::Call tell(const KnownKey& key, bool is_truth) const;
  /// A settlement for whoever does not wait for it.
  [[nodiscard]] redis::Call settling(const Reservation& taken, Settlement settlement) const;

  [[nodiscard]] std::string channel() const { return prefix_ + ":counts"; }
  static std::optional<KnownKey> parse_message(std::string_view message);

 private:
  [[nodiscard]] redis::Words begin_words(std::string_view operation, LimitClass limit, const LimitKey& key,
                                         const KnownCount& before, bool publish) const;

  redis::Client& client_;
  const std::string prefix_;
};

}  // namespace keyward::domain
