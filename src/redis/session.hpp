// Session: a connection with our scripts loaded into the server. For one thread; it blocks.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/connection.hpp"

namespace keyward::redis {

/// A script (by its place in the list), whose first word is the key that it works on; or a plain command.
struct Call {
  std::optional<std::size_t> script;
  Words words;
};

class Session {
 public:
  /// Throws Failure or Refusal.
  Session(const Address& address, const std::string& ca_file, const std::string& name,
          std::span<const std::string_view> scripts);

  /// All of them at once; an answer for each, in order. A server that has forgotten a script is told it
  /// again. Throws Failure when one is missing in time.
  std::vector<Reply> run(std::span<const Call> calls, Deadline deadline = answer_deadline());
  /// Throws Failure when there is no answer in time.
  void ping();

  [[nodiscard]] const std::string& version() const { return connection_.version(); }

 private:
  [[nodiscard]] Words to_words(const Call& call) const;

  Connection connection_;
  std::vector<std::string_view> scripts_;
  std::vector<std::string> digests_;  // of the scripts, as the server names them
};

}  // namespace keyward::redis
