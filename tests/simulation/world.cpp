#include "simulation/world.hpp"

#include <stdexcept>

#include "simulation/node.hpp"

namespace keyward::simulation {
namespace {

crypto::MasterKey make_key() {
  auto bytes = Secret::of_size(crypto::MasterKey::size_bytes);
  for (auto& byte : bytes.mutable_bytes()) byte = 7;
  return crypto::MasterKey::from_bytes(std::move(bytes)).value();
}

/// Most often none, sometimes few, seldom many.
unsigned draw_rate(Dice& dice, unsigned most) {
  switch (dice.below(4)) {
    case 0:
      return static_cast<unsigned>(dice.below(most / 10 + 1));
    case 1:
      return static_cast<unsigned>(dice.below(most + 1));
    default:
      return 0;
  }
}

}  // namespace

Plan make_plan(Dice& dice) {
  Plan plan;
  plan.nodes = 1 + dice.below(3);
  plan.group_max = 1 + dice.below(6);
  plan.accounts = 1 + dice.below(4);
  plan.steps = 60 + dice.below(240);
  plan.limit_store = plan.nodes == 1 && dice.one_in(3) ? LimitStore::memory : LimitStore::database;
  plan.rates = {.read = draw_rate(dice, 30),
                .write = draw_rate(dice, 100),
                .full = draw_rate(dice, 200),
                .sync = draw_rate(dice, 500),
                .lock = draw_rate(dice, 100),
                .open = draw_rate(dice, 300)};
  plan.deaths = draw_rate(dice, 1200);
  plan.power_cuts = draw_rate(dice, 1200);
  plan.inside = static_cast<unsigned>(dice.below(10'000));
  plan.clock_sets = draw_rate(dice, 400);
  plan.lost_answers = draw_rate(dice, 3000);
  plan.mail_faults = draw_rate(dice, 6000);
  plan.begins_empty = dice.one_in(20);
  return plan;
}

World::World(std::uint64_t seed)
    : dice(seed),
      plan(make_plan(dice)),
      disk(dice.fork(), clock),
      random(dice.fork()),
      master_key(make_key()) {
  serve_sqlite(&disk);
  for (std::size_t i = 0; i < plan.nodes; ++i) nodes.push_back(std::make_unique<Node>(*this, i));
}

World::~World() {
  nodes.clear();
  serve_sqlite(nullptr);
}

const mail::Templates& templates() {
  static const auto loaded = mail::Templates::load().value();
  return loaded;
}

}  // namespace keyward::simulation
