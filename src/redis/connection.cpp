#include "redis/connection.hpp"

#include <fmt/format.h>
#include <hiredis.h>

#include <array>
#include <charconv>

#include "base/free_with.hpp"
#include "base/limits.hpp"
#include "redis/errors.hpp"

namespace keyward::redis {
namespace {

constexpr int major_least = 6;
constexpr int minor_least = 2;

Reply to_reply(const redisReply& from) {
  Reply reply;
  const auto text = [&] { return from.str == nullptr ? std::string{} : std::string{from.str, from.len}; };
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::number;
      reply.number = from.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = Reply::Kind::text;
      reply.text = text();
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = Reply::Kind::error;
      reply.text = text();
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::list;
      for (std::size_t i = 0; i < from.elements; ++i) reply.items.push_back(to_reply(*from.element[i]));
      break;
    default:
      break;
  }
  return reply;
}

void add_command(std::string& to, std::span<const std::string_view> words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const auto word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* formatted = nullptr;
  const auto size =
      redisFormatCommandArgv(&formatted, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  to.append(formatted, static_cast<std::size_t>(size));
  wipe(formatted, static_cast<std::size_t>(size));  // AUTH has a password
  redisFreeCommand(formatted);
}

/// An answer that says: not us, not ever.
bool is_final(std::string_view error) {
  for (const std::string_view sign :
       {"WRONGPASS", "NOAUTH", "NOPERM", "ERR invalid password", "ERR AUTH", "ERR Client sent AUTH",
        "ERR DB index", "ERR invalid DB index", "ERR Error compiling script"}) {
    if (error.starts_with(sign)) return true;
  }
  return false;
}

[[noreturn]] void refuse(std::string_view error, std::string_view what, std::string_view shown) {
  const auto sentence = fmt::format("refuses {}: {}", what, shown);
  if (is_final(error)) throw Refusal(sentence);
  throw Failure(sentence);
}

std::string_view value_in(std::string_view info, std::string_view name) {
  const auto at = info.find(name);
  if (at == std::string_view::npos) return {};
  const auto value = info.substr(at + name.size());
  return value.substr(0, value.find_first_of("\r\n"));
}

std::unique_ptr<Wire> open_wire(const Address& address, const std::string& ca_file, Deadline deadline) {
  auto socket = connect_socket(address, deadline);
  return address.tls ? open_tls_wire(std::move(socket), address.host, ca_file, deadline)
                     : open_plain_wire(std::move(socket));
}

}  // namespace

void require(const Reply& reply, std::string_view what) {
  if (reply.is_error()) refuse(reply.text, what, reply.text);
}

Deadline connect_deadline() { return std::chrono::steady_clock::now() + limits::redis_connect_timeout; }
Deadline answer_deadline() { return std::chrono::steady_clock::now() + limits::redis_answer_timeout; }

void Connection::FreeReader::operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }

Connection::Connection(const Address& address, const std::string& ca_file, const std::string& name)
    : Connection(address, ca_file, name, connect_deadline()) {}

Connection::Connection(const Address& address, const std::string& ca_file, const std::string& name,
                       Deadline deadline)
    : Connection(open_wire(address, ca_file, deadline), address, name, deadline) {}

Connection::Connection(std::unique_ptr<Wire> wire, const Address& address, const std::string& name,
                       Deadline deadline)
    : wire_(std::move(wire)), reader_(redisReaderCreate()) {
  if (!reader_) throw std::bad_alloc();
  greet(address, name, deadline);
}

Connection::~Connection() = default;

void Connection::authenticate(const Address& address, Deadline deadline) {
  std::vector<std::string_view> words{"AUTH"};
  if (!address.user.empty()) words.emplace_back(address.user);
  words.push_back(address.password.text());
  std::string command;
  command.reserve(address.password.size() + address.user.size() + 64);
  add_command(command, words);
  wire_->send(command, deadline);
  wipe(command);
  const auto reply = receive(deadline);
  // No more of it than its first word: whoever does not know AUTH repeats what it was given.
  const std::string_view error = reply.text;
  if (reply.is_error()) refuse(error, "the user and the password", error.substr(0, error.find(' ')));
}

void Connection::greet(const Address& address, const std::string& name, Deadline deadline) {
  if (!address.password.empty()) authenticate(address, deadline);
  const std::array<Words, 3> commands{Words{"SELECT", std::to_string(address.database)},
                                      Words{"CLIENT", "SETNAME", name}, Words{"INFO", "server"}};
  const auto replies = call(commands, deadline);
  require(replies.at(0), "the database");
  if (!replies.at(1).text.starts_with("NOPERM")) require(replies.at(1), "a name");
  check_version(replies.at(2));
}

void Connection::check_version(const Reply& info) {
  if (info.is_error() && info.text.starts_with("NOPERM")) return;
  require(info, "INFO");
  version_ = value_in(info.text, "redis_version:");
  int major = 0;
  int minor = 0;
  const auto* const end = version_.data() + version_.size();
  const auto first = std::from_chars(version_.data(), end, major);
  if (first.ptr != end && *first.ptr == '.') std::from_chars(first.ptr + 1, end, minor);
  if (major < major_least || (major == major_least && minor < minor_least))
    throw Refusal(fmt::format("is version {}, and {}.{} is the least that will do", version_, major_least,
                              minor_least));
}

void Connection::send(std::span<const Words> commands, Deadline deadline) {
  std::string bytes;
  for (const auto& words : commands)
    add_command(bytes, std::vector<std::string_view>{words.begin(), words.end()});
  wire_->send(bytes, deadline);
}

std::optional<Reply> Connection::next_reply() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK)
    throw Failure("what it answers is not understood");
  if (raw == nullptr) return std::nullopt;
  const std::unique_ptr<void, FreeWith<freeReplyObject>> owned{raw};
  unread_bytes_ = 0;
  return to_reply(*static_cast<const redisReply*>(raw));
}

std::optional<Reply> Connection::receive_or_nothing(Deadline deadline) {
  while (true) {
    if (auto reply = next_reply()) return reply;
    std::array<char, 16384> room{};
    const auto size = wire_->receive(room, deadline);
    if (size == 0) return std::nullopt;
    unread_bytes_ += size;
    if (unread_bytes_ > limits::redis_answer_max_bytes) throw Failure("an answer is too long");
    if (redisReaderFeed(reader_.get(), room.data(), size) != REDIS_OK)
      throw Failure("no memory for an answer");
  }
}

Reply Connection::receive(Deadline deadline) {
  auto reply = receive_or_nothing(deadline);
  if (!reply) throw Failure("does not answer in time");
  return std::move(*reply);
}

std::vector<Reply> Connection::call(std::span<const Words> commands, Deadline deadline) {
  send(commands, deadline);
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) replies.push_back(receive(deadline));
  return replies;
}

}  // namespace keyward::redis
