// Actors: clients, thieves and those who guess, as coroutines on a node's loop, and the work that a server
// does by itself. What they call is the server's own code; what they learn goes to Promises.
//
// The closures are those of the handlers (features/login, refresh, logout, profile, password_reset) without
// HTTP around them; a password's hash is the password, since hashing is no part of this.
#pragma once

#include <string>
#include <vector>

#include "domain/accounts/accounts.hpp"
#include "simulation/node.hpp"
#include "simulation/world.hpp"

namespace keyward::simulation {

class Actors {
 public:
  explicit Actors(World& world) : world_(world) {}

  /// Somebody calls.
  void call(Node& node);

  // What a server does by itself. They block, as there.
  void send_mail(Node& node);
  void work_off_deferred(Node& node);
  void sweep(Node& node);

 private:
  void call_with_session(Node& node);
  void call_with_letter(Node& node);

  Task<void> log_in(Node& node, std::size_t person, std::string password, domain::Device device);
  Task<void> refresh(Node& node, std::size_t holder, std::string token, domain::Device device);
  Task<void> log_out(Node& node, std::string token);
  Task<void> change_password(Node& node, std::size_t person, Uuid session, std::string old_password);
  Task<void> forget_password(Node& node, std::size_t person);
  Task<void> reset_password(Node& node, Letter letter, bool by_code);
  Task<void> guess_code(Node& node, std::string transaction);
  Task<void> change_and_refuse(Node& node, std::size_t person);

  Task<void> start_session(Node& node, std::string call, std::size_t person, domain::Account account,
                           domain::Device device);
  Task<void> use_token(Node& node, std::string call, domain::OneTimeToken token, Letter letter);

  void begin(Node& node, Task<void> task, const char* name);
  std::string next_call(Node& node, const std::string& what);
  void note(const std::string& call, const std::string& what);
  bool arrives(const std::string& call);

  World& world_;
};

/// What a change left behind that an answer promises.
struct Left {
  std::int64_t events = 0;
  std::vector<Uuid> mails;
};

/// The change of a call: rows of the trail, and mails.
class Change {
 public:
  Change(World& world, Node& node, storage::Transaction& transaction)
      : world_(world), parts_(node.parts()), transaction_(transaction) {}

  void record(std::string_view event, const Uuid& account, std::optional<Uuid> session);
  Uuid mail(const mail::Mail& mail);
  [[nodiscard]] Left left() const { return left_; }

 private:
  World& world_;
  Node::Parts& parts_;
  storage::Transaction& transaction_;
  Left left_;
};

mail::Addressee to_addressee(const Person& person);
void promise(World& world, const Left& left);

}  // namespace keyward::simulation
