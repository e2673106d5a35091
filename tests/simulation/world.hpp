// World: the machine, the processes on it, and everything that is outside of them: clients' memories,
// mailboxes, and what was promised.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/master_key.hpp"
#include "domain/audit/audit_checkpoints.hpp"
#include "domain/sessions/sessions.hpp"
#include "mail/templates.hpp"
#include "simulation/disk.hpp"
#include "simulation/driver.hpp"
#include "simulation/promises.hpp"

namespace keyward::simulation {

class Node;

enum class LimitStore : std::uint8_t { memory, database };

/// What kind of schedule a seed makes; drawn first, so that schedules differ in kind and not in detail alone.
struct Plan {
  std::size_t nodes = 1;
  std::size_t group_max = 4;
  std::size_t accounts = 3;
  std::uint64_t steps = 150;
  LimitStore limit_store = LimitStore::database;
  FaultRates rates;
  unsigned deaths = 0;      // of 10,000 steps, by a process's end
  unsigned power_cuts = 0;  // … and by a power cut
  unsigned inside = 0;      // … and of these two, how many of 10,000 come within a step
  unsigned clock_sets = 0;
  unsigned lost_answers = 0;  // of 10,000 that leave the server
  unsigned mail_faults = 0;   // of 10,000 attempts
  bool begins_empty = false;  // the migrations run in it
};
Plan make_plan(Dice& dice);

struct Person {
  Uuid id;
  std::string email;
  std::string password;                      // as this person knows it
  std::vector<std::string> passwords_maybe;  // set by calls without an answer
};

/// A refresh token in somebody's hands, and those that came before it.
struct Holder {
  std::size_t person = 0;
  Uuid session;
  std::vector<std::string> tokens;
  domain::Device device;
};

/// What a mail carries for its reader, and for us to find it by.
struct Letter {
  std::size_t person = 0;
  std::string token;
  std::string code;
  std::string transaction;  // of the call that asked
};

struct World {
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  Dice dice;
  Plan plan;
  SimulatedClock clock;
  Trace trace{clock};
  Disk disk;
  Ledger ledger{trace};
  SimulatedRandom random;
  domain::SessionSettings sessions{.idle_lifetime = std::chrono::minutes{30},
                                   .absolute_lifetime = std::chrono::hours{2}};
  Promises promises{trace, clock, sessions.refresh_grace};
  crypto::MasterKey master_key;
  domain::RefreshTokens refresh_tokens{master_key};
  domain::ChainKey chain_key{master_key};
  domain::CheckpointKey checkpoint_key{master_key};
  std::vector<domain::AuditCheckpoint> checkpoints;  // kept elsewhere, as the log has them

  std::vector<Person> people;
  std::vector<Holder> holders;
  std::map<Uuid, Letter> letters;                   // by mail, whether it is sent or not
  std::vector<Letter> inbox;                        // those that arrived
  std::map<std::string, std::string> transactions;  // of calls that asked for a code, by request
  std::uint64_t calls = 0;
  std::uint64_t mail_attempts = 0;
  std::uint64_t passwords = 0;                  // that were wanted
  std::map<std::string, std::uint64_t> counts;  // of what happened, for the summary

  /// Attempts at a mail that are under way, by mail.
  struct Hand {
    std::uint64_t attempt = 0;
    ProcessId process = 0;
    Time taken_at;
  };
  std::map<Uuid, std::vector<Hand>> hands;

  std::vector<std::unique_ptr<Node>> nodes;
  std::function<void()> meanwhile;  // while a mail server takes its time, others go on
  unsigned depth = 0;               // of that
};

/// The mails that are part of the program; loaded once.
const mail::Templates& templates();

}  // namespace keyward::simulation
