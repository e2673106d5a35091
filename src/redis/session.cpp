#include "redis/session.hpp"

#include <array>

#include "redis/errors.hpp"

namespace keyward::redis {
namespace {

Words with_key(std::string_view command, std::string_view script, const Words& key_and_arguments) {
  Words words{std::string{command}, std::string{script}, "1"};
  words.insert(words.end(), key_and_arguments.begin(), key_and_arguments.end());
  return words;
}

}  // namespace

Session::Session(const Address& address, const std::string& ca_file, const std::string& name,
                 std::span<const std::string_view> scripts)
    : connection_(address, ca_file, name), scripts_(scripts.begin(), scripts.end()) {
  if (scripts_.empty()) return;
  std::vector<Words> loads;
  for (const auto script : scripts_) loads.push_back({"SCRIPT", "LOAD", std::string{script}});
  for (auto& reply : connection_.call(loads, connect_deadline())) {
    require(reply, "a script");
    digests_.push_back(std::move(reply.text));
  }
}

Words Session::to_words(const Call& call) const {
  return call.script ? with_key("EVALSHA", digests_.at(*call.script), call.words) : call.words;
}

std::vector<Reply> Session::run(std::span<const Call> calls, Deadline deadline) {
  std::vector<Words> commands;
  commands.reserve(calls.size());
  for (const auto& call : calls) commands.push_back(to_words(call));
  auto replies = connection_.call(commands, deadline);

  std::vector<Words> again;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!calls[i].script || !replies[i].is_error() || !replies[i].text.starts_with("NOSCRIPT")) continue;
    again.push_back(with_key("EVAL", scripts_.at(*calls[i].script), calls[i].words));
    places.push_back(i);
  }
  if (again.empty()) return replies;
  auto told = connection_.call(again, deadline);
  for (std::size_t i = 0; i < places.size(); ++i) replies[places[i]] = std::move(told[i]);
  return replies;
}

void Session::ping() {
  const std::array<Words, 1> ping{Words{"PING"}};
  const auto replies = connection_.call(ping, answer_deadline());
  if (replies.at(0).is_error()) throw Failure("answers to PING: " + replies.at(0).text);
}

}  // namespace keyward::redis
