#include "simulation/node.hpp"

#include "domain/limits/memory_rate_limiter.hpp"

#include "storage/errors.hpp"
#include "storage/migrations.hpp"

namespace keyward::simulation {
namespace {

std::unique_ptr<domain::RateLimiter> make_limiter(World& world, Node::Parts& parts) {
  if (world.plan.limit_store == LimitStore::memory)
    return std::make_unique<domain::MemoryRateLimiter>(world.clock);
  return std::make_unique<domain::SharedRateLimiter>(
      domain::SharedRateLimiter::Dependencies{.redis = nullptr,
                                              .counts = nullptr,
                                              .database = parts.counts.get(),
                                              .events = parts.events,
                                              .clock = world.clock,
                                              .random = parts.random});
}

}  // namespace

Node::Parts::Parts(World& world, Node& node)
    : random(world.dice.fork()),
      events(domain::EventLog::no_output, nullptr, nullptr, world.clock),
      trail(world.master_key, domain::EmailInEvents::off, random),
      outbox(world.master_key, world.clock, random, {.message_id_domain = "example.com", .locale = "en"}),
      deferred(world.clock, random),
      tokens(world.master_key, random),
      transport(world, node) {}

Node::Node(World& world, std::size_t number) : world_(world), number_(number) {}

Node::~Node() {
  if (parts_ && is_alive()) world_.disk.kill(process_);
  bury();
}

bool Node::start() {
  process_ = world_.disk.start_process();
  ++life_;
  const Disk::Running running{world_.disk, process_};
  world_.disk.prepare(database_path);
  parts_ = std::make_unique<Parts>(world_, *this);
  auto& parts = *parts_;
  const Engine engine{world_.disk, world_.clock, world_.ledger, world_.trace};
  auto opened = storage::Database::open(make_driver(engine, process_, world_.plan.group_max), 64);
  std::string failure;
  try {
    if (opened) {
      parts.database = std::move(*opened);
      const auto migrated = storage::blocking_migrate(*parts.database, world_.clock.now());
      if (!migrated) failure = migrated.error().message;
    } else {
      failure = opened.error().message;
    }
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (!failure.empty() || !is_alive()) {
    world_.trace.add("{} does not start: {}", name(), failure);
    world_.disk.kill(process_);
    bury();
    return false;
  }
  parts.trail.attach(*parts.database);
  parts.counts = std::make_unique<domain::DatabaseCounts>(*parts.database);
  parts.limiter = make_limiter(world_, parts);
  parts.limits = std::make_unique<domain::Limits>(
      *parts.limiter, world_.master_key.derive("limits 1"),
      domain::LimitSettings{
          .login_attempts = login_attempts, .login_window = login_window, .login_address_attempts = 10'000});
  const mail::SenderSettings settings{.from = {.address = "keyward@example.com"},
                                      .service_name = "Example",
                                      .public_url = "https://example.com",
                                      .threads = 0};
  parts.sender = std::make_unique<mail::Sender>(
      mail::Sender::Dependencies{
          .database = *parts.database,
          .outbox = parts.outbox,
          .templates = templates(),
          .transport = parts.transport,
          .clock = world_.clock,
          .random = parts.random,
          .steady_now = [&clock = world_.clock] { return clock.steady_point(); },
          .sleep_for = [&clock = world_.clock](microseconds pause) { clock.pass(pause); }},
      settings);
  world_.trace.add("{} is up", name());
  return true;
}

void Node::stop() {
  {
    const Disk::Running running{world_.disk, process_};
    parts_.reset();
  }
  world_.trace.add("{} stops", name());
  world_.disk.kill(process_);
}

void Node::bury() {
  const Disk::Running running{world_.disk, process_};
  parts_.reset();
}

void Node::poll() {
  const Disk::Running running{world_.disk, process_};
  parts_->loop.restart();
  while (is_alive() && parts_->loop.poll_one() != 0) {
  }
}

}  // namespace keyward::simulation
