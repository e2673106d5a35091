// Connection: one conversation with Redis, from the greeting on. For one thread; it blocks, until a deadline.
//
// The greeting: AUTH, SELECT, CLIENT SETNAME and the version, which must be 6.2 at least. (A user whose rules
// forbid INFO is believed.) Commands are written and answers are read with hiredis's formatter and reader;
// the socket is ours.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/address.hpp"
#include "redis/reply.hpp"
#include "redis/wire.hpp"

struct redisReader;  // NOLINT(readability-identifier-naming): hiredis has it so

namespace keyward::redis {

using Words = std::vector<std::string>;

class Connection {
 public:
  /// Connects and greets. Throws Failure, or Refusal when waiting would not help.
  /// `ca_file`: what a rediss:// server's certificate must come from; empty: what the system trusts.
  Connection(const Address& address, const std::string& ca_file, const std::string& name);
  /// Greets, over a wire that is there already.
  Connection(std::unique_ptr<Wire> wire, const Address& address, const std::string& name, Deadline deadline);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Throws Failure.
  void send(std::span<const Words> commands, Deadline deadline);
  /// The next answer. Throws Failure when it is not there in time.
  Reply receive(Deadline deadline);
  /// The same; nothing when it is not there in time.
  std::optional<Reply> receive_or_nothing(Deadline deadline);
  /// An answer for each, in order.
  std::vector<Reply> call(std::span<const Words> commands, Deadline deadline);

  /// From any thread: ends what another one waits for.
  void interrupt() noexcept { wire_->interrupt(); }

  [[nodiscard]] const std::string& version() const { return version_; }

 private:
  struct FreeReader {
    void operator()(redisReader* reader) const noexcept;
  };

  Connection(const Address& address, const std::string& ca_file, const std::string& name, Deadline deadline);
  void authenticate(const Address& address, Deadline deadline);
  void greet(const Address& address, const std::string& name, Deadline deadline);
  void check_version(const Reply& info);
  [[nodiscard]] std::optional<Reply> next_reply();

  std::unique_ptr<Wire> wire_;
  std::unique_ptr<redisReader, FreeReader> reader_;
  std::size_t unread_bytes_ = 0;  // fed since the last whole answer
  std::string version_;
};

/// Throws for an error: Refusal when waiting would not help, else Failure. `what` it refuses.
void require(const Reply& reply, std::string_view what);

/// When a connection that is made or asked now must have answered.
Deadline connect_deadline();
Deadline answer_deadline();

}  // namespace keyward::redis
