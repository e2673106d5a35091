#include "app/sharing.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/log.hpp"
#include "domain/limits/memory_rate_limiter.hpp"
#include "runtime/pause.hpp"

namespace keyward::app {

namespace {

/// Two deployments that share a Redis have two master keys, and so neither meets the other's keys.
std::string prefix_of(const Core& core) {
  constexpr std::size_t tag_bytes = 6;
  return "keyward:" + to_hex(core.master_key->derive("redis 1").bytes().first(tag_bytes));
}

}  // namespace

std::string_view limits_store(const Config& config) {
  if (config.limits.store != "auto") return config.limits.store;
  if (!config.redis.url.empty()) return "redis";
  return is_postgres(config.storage.url) ? "database" : "memory";
}

Sharing::Sharing(const Config& config, Core& core)
    : core_(core), prefix_(prefix_of(core)), node_(to_hex(core.random.bytes<8>())) {
  const auto store = limits_store(config);
  if (store == "database" || (store == "redis" && config.limits.fallback == "database"))
    database_ = std::make_unique<domain::DatabaseCounts>(*core.database);
  if (!config.redis.url.empty()) open_redis(config);
  if (store == "memory") {
    database_.reset();
    limiter_ = std::make_unique<domain::MemoryRateLimiter>(core.clock);
    return;
  }
  const bool in_redis = store == "redis";
  auto shared = std::make_unique<domain::SharedRateLimiter>(
      domain::SharedRateLimiter::Dependencies{.redis = in_redis ? redis_.get() : nullptr,
                                              .counts = in_redis ? counts_.get() : nullptr,
                                              .database = database_.get(),
                                              .events = *core.events,
                                              .clock = core.clock,
                                              .random = core.random});
  shared_ = shared.get();
  limiter_ = std::move(shared);
}

void Sharing::open_redis(const Config& config) {
  const bool counts_there = limits_store(config) == "redis";
  redis::ClientOptions options{.address = redis::parse_url(config.redis.url.text()).value(),
                               .ca_file = config.redis.ca_file.string(),
                               .scripts = {domain::RedisCounts::script()}};
  if (counts_there) options.on_connected = [this](redis::Session& session) { shared_->tell(session); };
  options.on_change = [this, counts_there](bool is_up, const std::string& reason) {
    if (counts_there) return shared_->note_change(is_up, reason);
    log(is_up ? LogLevel::info : LogLevel::error, is_up ? "redis_is_there" : "redis_is_away",
        {{is_up ? "version" : "reason", reason}});
  };
  redis_ = std::make_unique<redis::Client>(std::move(options));
  counts_ = std::make_unique<domain::RedisCounts>(*redis_, prefix_);
  std::vector<std::string> channels{prefix_ + ":revisions"};
  if (counts_there && !database_) channels.push_back(counts_->channel());
  subscriber_ = std::make_unique<redis::Subscriber>(redis::SubscriberOptions{
      .address = redis::parse_url(config.redis.url.text()).value(),
      .ca_file = config.redis.ca_file.string(),
      .channels = std::move(channels),
      // Whatever was said meanwhile was not heard.
      .on_subscribed = [this] { core_.revisions->take_over_all(); },
      .on_message = [this](std::string_view channel, std::string_view message) { hear(channel, message); }});
}

Result<void> Sharing::blocking_start() {
  if (!redis_) return {};
  if (auto started = redis_->blocking_start(); !started) return started;
  core_.revisions->announce_to([this](std::size_t revision) { announce(revision); });
  subscriber_->start();
  return {};
}

void Sharing::stop() {
  if (!redis_) return;
  subscriber_->stop();
  redis_->stop();
}

void Sharing::announce(std::size_t revision) {
  redis_->cast({.script = std::nullopt,
                .words = {"PUBLISH", prefix_ + ":revisions", fmt::format("{} {}", node_, revision)}});
}

void Sharing::hear(std::string_view channel, std::string_view message) {
  if (!channel.ends_with(":revisions")) {
    shared_->hear(message);
    return;
  }
  if (message.starts_with(node_)) return;  // our own
  const auto space = message.find(' ');
  if (space == std::string_view::npos) return;
  const auto text = message.substr(space + 1);
  std::size_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{})
    core_.revisions->take_over(number);
}

std::optional<redis::Client::Statistics> Sharing::redis_statistics() const {
  return redis_ ? std::optional{redis_->statistics()} : std::nullopt;
}

Task<void> sweep_counts_now_and_then(Sweeping sweeping) {
  constexpr auto work = domain::LeasedWork::rate_limit_sweep;
  const auto stale = [sweeping](storage::Transaction& transaction) {
    return domain::has_stale_counts(transaction) && !sweeping.leases->is_held_by_another(transaction, work);
  };
  const auto sweep = [sweeping](storage::Transaction& transaction) -> std::int64_t {
    return sweeping.leases->take(transaction, work) ? domain::sweep_counts(transaction) : 0;
  };
  while (true) {
    co_await pause(sweeping.next_pause());
    try {
      if (!co_await sweeping.database->read(stale)) continue;
      while (co_await sweeping.database->write(sweep) == limits::rate_limit_sweep_max)
        co_await pause(limits::session_sweep_pause);
    } catch (const std::exception& exception) {
      log(LogLevel::error, "rate_limit_sweep_failed", {{"reason", exception.what()}});
    }
  }
}

}  // namespace keyward::app
