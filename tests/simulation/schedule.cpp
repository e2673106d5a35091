#include "simulation/schedule.hpp"

#include <algorithm>
#include <stdexcept>

#include "domain/accounts/accounts.hpp"
#include "domain/audit/audit_reader.hpp"
#include "simulation/actors.hpp"
#include "simulation/node.hpp"
#include "storage/errors.hpp"

namespace keyward::simulation {
namespace {

struct Template {
  Disk::Image image;
  ContentHash content = 0;
};

/// A database after its migrations, made once.
const Template& migrated() {
  static const Template made = [] {
    World world{0};
    world.plan.rates = {};
    world.ledger.begin_with(hash_of_nothing());
    auto& node = *world.nodes.front();
    if (!node.start())
      throw std::runtime_error("an empty database does not start: " + world.trace.lines().back());
    node.stop();
    auto connection =
        make_driver({world.disk, world.clock, world.ledger, world.trace}, world.disk.start_process(), 1)
            ->connect(storage::Access::read);
    return Template{world.disk.image(), hash_content(*connection)};
  }();
  return made;
}

class Schedule {
 public:
  Schedule(std::uint64_t seed, bool syncs_lie) : world_(seed), actors_(world_) {
    world_.disk.syncs_lie = syncs_lie;
    world_.meanwhile = [this] { step_meanwhile(); };
  }

  void run() {
    begin();
    for (steps_ = 0; steps_ < world_.plan.steps && !world_.trace.is_violated(); ++steps_) step();
    if (!world_.trace.is_violated()) finish();
  }

  [[nodiscard]] Report report(std::uint64_t seed) {
    const auto& disk = world_.disk.counts();
    world_.counts["disk writes"] = disk.writes;
    world_.counts["disk syncs"] = disk.syncs;
    world_.counts["disk faults"] = disk.faults;
    world_.counts["deaths within a step"] = disk.deaths_inside;
    world_.trace.note(std::to_string(world_.disk.hash()));
    return {.seed = seed,
            .violation = world_.trace.violation(),
            .trace = world_.trace.lines(),
            .trace_hash = world_.trace.hash(),
            .steps = steps_,
            .counts = world_.counts};
  }

 private:
  void begin() {
    const auto& plan = world_.plan;
    world_.trace.add("{} nodes, {} people, groups of {}, limits in {}, {} steps{}", plan.nodes, plan.accounts,
                     plan.group_max, plan.limit_store == LimitStore::memory ? "memory" : "the database",
                     plan.steps, plan.begins_empty ? ", from an empty disk" : "");
    world_.ledger.begin_with(plan.begins_empty ? hash_of_nothing() : migrated().content);
    if (!plan.begins_empty) world_.disk.load(migrated().image);
    world_.disk.rates = plan.rates;
    for (std::size_t i = 0; i < plan.accounts; ++i) {
      world_.people.push_back({.id = Uuid::make_v7(world_.clock.now(), world_.random),
                               .email = fmt::format("person{}@example.com", i),
                               .password = fmt::format("first password {}", i)});
    }
    if (plan.begins_empty && world_.dice.one_in(2))
      world_.disk.arm(1 + world_.dice.below(80), world_.dice.one_in(2) ? Death::power : Death::process);
    while (!world_.trace.is_violated() && !up_node()) recover();
    const Disk::Quiet quiet{world_.disk};
    auto* node = up_node();
    if (node == nullptr) return;
    node->run([&] {
      node->parts().database->blocking_write([&](storage::Transaction& transaction) {
        for (const auto& person : world_.people) {
          (void)domain::insert_account(transaction, {.id = person.id,
                                                     .email = {person.email, person.email},
                                                     .password_hash = person.password,
                                                     .created_at = world_.clock.now()});
        }
      });
    });
  }

  Node* up_node() {
    std::vector<Node*> up;
    for (const auto& node : world_.nodes) {
      if (node->is_up()) up.push_back(node.get());
    }
    return up.empty() ? nullptr : world_.dice.pick(up);
  }
  bool is_somebody_dead() {
    return std::ranges::any_of(world_.nodes,
                               [](const auto& node) { return node->has_parts() && !node->is_alive(); });
  }

  // ── Deaths, and what comes after ──
  /// Buries the dead, switches the power on, and starts who is down.
  void recover() {
    for (const auto& node : world_.nodes) {
      if (node->is_up()) continue;
      if (node->has_parts()) {
        world_.trace.add("{} has died", node->name());
        ++world_.counts["deaths"];
        node->bury();
        world_.promises.process_died();
      }
    }
    if (!world_.disk.is_powered()) {
      world_.trace.add("the power is back");
      ++world_.counts["power cuts"];
      world_.ledger.power_cut();
      world_.disk.restore_power();
    }
    for (const auto& node : world_.nodes) {
      if (node->is_up() || world_.dice.one_in(2)) continue;
      if (node->start()) check(*node, false);
      if (is_somebody_dead() || !world_.disk.is_powered()) return;
    }
  }

  /// All that was promised, against what is there.
  void check(Node& node, bool is_end) {
    const Disk::Quiet quiet{world_.disk};
    node.run([&] {
      node.parts().database->blocking_read([&](storage::Transaction& transaction) {
        if (const auto whole = transaction.get<std::string>("PRAGMA integrity_check(1)"); whole != "ok")
          world_.trace.violate("the database is damaged: {}", whole);
        world_.promises.check(transaction, is_end);
        const auto report =
            domain::verify_audit(transaction, world_.chain_key, world_.checkpoint_key, world_.checkpoints);
        if (report.broken) world_.trace.violate("the audit trail: {}", *report.broken);
      });
    });
    ++world_.counts["checks"];
  }

  void kill_somebody() {
    const auto& plan = world_.plan;
    auto& dice = world_.dice;
    const bool process = dice.chance(plan.deaths);
    const bool power = dice.chance(plan.power_cuts);
    if (!process && !power) return;
    const auto how = power ? Death::power : Death::process;
    if (dice.chance(plan.inside)) {
      if (!world_.disk.is_armed()) world_.disk.arm(1 + dice.below(30), how);
    } else if (power) {
      world_.trace.add("the power goes");
      world_.disk.cut_power();
    } else if (auto* node = up_node()) {
      world_.trace.add("{} is killed", node->name());
      world_.disk.kill(node->process());
    }
  }

  // ── Steps ──
  void step() {
    auto& dice = world_.dice;
    kill_somebody();
    if (is_somebody_dead() || !world_.disk.is_powered() || up_node() == nullptr || dice.one_in(8)) recover();
    if (world_.trace.is_violated()) return;
    auto* node = up_node();
    if (node == nullptr) return;
    if (dice.chance(world_.plan.clock_sets)) set_clock();
    const auto what = dice.below(100);
    if (what < 90) return common_step(*node, what);
    if (what < 94) return node->run([&] { actors_.sweep(*node); });
    if (what < 97) return other_process();
    if (what < 98) {
      node->stop();
      return;
    }
    // Time that passes like this finds a server that has nothing to do: no call waits for minutes.
    for (const auto& each : world_.nodes) finish_calls(*each);
    if (!is_somebody_dead()) pass(seconds{dice.between(60, dice.one_in(10) ? 8 * 3600 : 1200)});
  }

  void common_step(Node& node, std::uint64_t what) {
    auto& dice = world_.dice;
    if (what < 26) return node.run([&] { actors_.call(node); });
    if (what < 56) return node.run([&] { node.parts().database->run_waiting_writes(); });
    if (what < 72) return node.run([&] { node.parts().database->run_waiting_reads(); });
    if (what < 79) return node.run([&] { actors_.send_mail(node); });
    if (what < 84) return node.run([&] { actors_.work_off_deferred(node); });
    pass(microseconds{dice.between(1, dice.one_in(3) ? 20'000'000 : 300'000)});
  }

  /// While a mail server takes its time.
  void step_meanwhile() {
    constexpr unsigned depth_max = 3;
    if (is_somebody_dead() || !world_.disk.is_powered() || world_.trace.is_violated()) return;
    auto* node = up_node();
    if (node == nullptr) return;
    ++world_.depth;
    const auto what = world_.dice.below(90);
    const bool sends = what >= 72 && what < 79;
    if (!sends || world_.depth < depth_max) common_step(*node, what);
    if (world_.dice.one_in(6)) pass(seconds{world_.dice.between(1, 50)});
    --world_.depth;
  }

  /// A command line beside the servers, which opens the database and is gone.
  void other_process() {
    const auto process = world_.disk.start_process();
    {
      const Disk::Running running{world_.disk, process};
      try {
        make_driver({world_.disk, world_.clock, world_.ledger, world_.trace}, process, 1)
            ->connect(storage::Access::write);
        world_.trace.add("another process comes and goes");
      } catch (const storage::Failure& failure) {
        world_.trace.add("another process fails: {}", failure.what());
      }
    }
    if (world_.disk.is_alive(process)) world_.disk.kill(process);
  }

  void pass(microseconds time) {
    world_.clock.pass(time);
    world_.trace.add("{} ms pass", time.count() / 1000);
  }

  void set_clock() {
    auto& dice = world_.dice;
    const seconds by{dice.between(1, dice.one_in(3) ? 3600 : 30) * (dice.one_in(2) ? 1 : -1)};
    world_.clock.set(by);
    world_.trace.add("the time of day is set by {} s", by.count());
  }

  // ── The end ──
  void finish() {
    world_.trace.add("nothing breaks any more");
    world_.meanwhile = [] {};  // and nobody calls
    world_.plan.mail_faults = 0;
    world_.plan.lost_answers = 0;
    world_.disk.rates = {};
    world_.disk.arm(0, Death::power);
    while (!world_.trace.is_violated() &&
           std::ranges::any_of(world_.nodes, [](const auto& node) { return !node->is_up(); }))
      recover();
    for (int turn = 0; turn < 200 && !world_.trace.is_violated(); ++turn) {
      for (const auto& node : world_.nodes) drain(*node);
      const auto due = next_work();
      if (!due) break;
      pass(std::max<microseconds>(*due - world_.clock.now(), seconds{1}));
    }
    if (!world_.trace.is_violated()) check(*world_.nodes.front(), true);
    for (const auto& node : world_.nodes) node->stop();
  }

  void finish_calls(Node& node) {
    for (bool more = node.is_up(); more && !world_.trace.is_violated();) {
      more = false;
      node.run([&] { more = node.parts().database->run_waiting_writes(); });
      if (node.is_up()) node.run([&] { more = node.parts().database->run_waiting_reads() || more; });
      more = more && node.is_up();
    }
  }

  void drain(Node& node) {
    finish_calls(node);
    node.run([&] { actors_.work_off_deferred(node); });
    node.run([&] { actors_.send_mail(node); });
  }

  std::optional<Time> next_work() {
    auto& node = *world_.nodes.front();
    std::optional<Time> due;
    node.run([&] {
      due = node.parts().database->blocking_read([](storage::Transaction& transaction) {
        const auto mail = domain::find_next_due_mail(transaction);
        const auto request = domain::find_next_due_request(transaction);
        return mail && request ? std::min(mail, request) : mail ? mail : request;
      });
    });
    return due;
  }

  World world_;
  Actors actors_;
  std::uint64_t steps_ = 0;
};

}  // namespace

Report run_schedule(std::uint64_t seed, bool syncs_lie) {
  (void)migrated();  // it serves a disk of its own
  (void)templates();
  Schedule schedule{seed, syncs_lie};
  schedule.run();
  return schedule.report(seed);
}

}  // namespace keyward::simulation
