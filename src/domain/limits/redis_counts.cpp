#include "domain/limits/redis_counts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace keyward::domain {
namespace {

// LimitCount's rules once more. Numbers of windows stay texts: a double would round them.
constexpr std::string_view script_text = R"lua(
local key, operation, channel, name = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local field = redis.call('HMGET', key, 'w', 'v', 'g', 'c', 'u', 't')
local left = redis.call('PTTL', key)
local w = field[1] or '0'
local v, g, c = tonumber(field[2] or 0), tonumber(field[3] or 0), tonumber(field[4] or 0)
local u, t = tonumber(field[5] or 0), tonumber(field[6] or 0)
local changed, expires = false, false
if left <= 0 then w = '0' end

local function begin(window, version, generation, count, length)
  w, v, g, c, u, t, left = window, version, generation, count, 0, 0, length
  changed, expires = true, true
end

local function hear(W, V, G, C, length, is_truth)
  if W == '0' then return end
  if w == '0' or (is_truth and W ~= w) then
    begin(W, V, G, C, length)
  elseif W ~= w then
    if C > c then c, v, changed = C, v + 1, true end
  elseif is_truth or (V > v and G >= g) then
    if is_truth or G > g then c = C else c = math.max(c, C) end
    v, g, u = math.max(v, V), G, math.min(u, c)
    left, changed, expires = length, true, true
  end
end

hear(ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), operation == 'tell')

local allowed, pending, first, remaining, settled = 0, 0, 0, 0, 0
if operation == 'take' then
  local quota, length, is_settled = tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11] == '1'
  if w == '0' then
    local now = redis.call('TIME')
    begin(now[1] .. string.format('%06d', now[2]), 0, 0, 0, length)
  elseif c == 0 then
    left, t, changed, expires = length, 0, true, true
  end
  if left > length then left, changed, expires = length, true, true end
  if c < quota then
    allowed, settled = 1, c - u
    c, v, changed = c + 1, v + 1, true
    if is_settled then u = u + 1 end
    remaining = quota - c
  elseif u > 0 then
    pending = 1
  elseif t == 0 then
    first, t, changed = 1, 1, true
  end
elseif operation == 'settle' and w ~= '0' then
  local cleared, did = ARGV[10] == 'cleared', false
  if ARGV[9] == w and u > 0 then
    u, did = u - 1, true
    if ARGV[10] == 'given_back' then c = c - 1 end
  end
  if cleared then c, g, did = u, g + 1, true end
  if did then v, changed = v + 1, true end
end

if changed then
  redis.call('HSET', key, 'w', w, 'v', v, 'g', g, 'c', c, 'u', u, 't', t)
  if expires then redis.call('PEXPIRE', key, math.max(left, 1)) end
  if channel ~= '' then
    redis.call('PUBLISH', channel, table.concat({name, w, v, g, c, left}, ' '))
  end
end
return {allowed, pending, first, remaining, settled, w, v, g, c, math.max(left, 0)}
)lua";

constexpr std::size_t reply_items = 10;

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<LimitKey> parse_key(std::string_view text) {
  LimitKey key{};
  if (text.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto byte = parse_number<std::uint8_t>(text.substr(2 * i, 2), 16);
    if (!byte) return std::nullopt;
    key.at(i) = *byte;
  }
  return key;
}

std::string_view next_word(std::string_view& text) {
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

std::string_view to_word(Settlement settlement) {
  if (settlement == Settlement::cleared) return "cleared";
  return settlement == Settlement::given_back ? "given_back" : "counted";
}

/// The script's answer. Throws std::runtime_error for another one.
Counted to_counted(const redis::Reply& reply, Time now) {
  if (reply.items.size() != reply_items) throw std::runtime_error("Redis: a script's answer is not ours");
  const auto number = [&](std::size_t i) { return reply.items.at(i).number; };
  const auto small = [&](std::size_t i) { return static_cast<std::uint32_t>(number(i)); };
  const auto window = parse_number<std::uint64_t>(reply.items.at(5).text);
  if (!window) throw std::runtime_error("Redis: a window without a number");
  const std::chrono::milliseconds left{number(9)};
  return {
      .verdict = {.allowed = number(0) == 1,
                  .pending = number(1) == 1,
                  .first_refusal = number(2) == 1,
                  .remaining = small(3),
                  .settled = small(4),
                  .window_ends = now + left,
                  .window = *window},
      .known = {
          .window = *window, .version = small(6), .generation = small(7), .count = small(8), .left = left}};
}

}  // namespace

std::string_view RedisCounts::script() { return script_text; }

redis::Words RedisCounts::begin_words(std::string_view operation, LimitClass limit, const LimitKey& key,
                                      const KnownCount& before, bool publish) const {
  auto name = fmt::format("{}:{}", name_of(limit), to_hex(key));
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(before.left).count();
  return {fmt::format("{}:{}", prefix_, name),
          std::string{operation},
          publish ? channel() : std::string{},
          std::move(name),
          std::to_string(before.window),
          std::to_string(before.version),
          std::to_string(before.generation),
          std::to_string(before.count),
          std::to_string(left)};
}

Task<Result<Counted>> RedisCounts::take(LimitClass limit, LimitRule rule, LimitKey key, KnownCount before,
                                        bool publish, Time now) {
  auto words = begin_words("take", limit, key, before, publish);
  words.push_back(std::to_string(rule.quota));
  words.push_back(std::to_string(std::chrono::milliseconds{rule.window}.count()));
  words.emplace_back(rule.is_settled ? "1" : "0");
  auto reply = co_await client_.run(0, std::move(words));
  if (!reply) co_return fail_from(reply);
  co_return to_counted(*reply, now);
}

redis::Call RedisCounts::settling(const Reservation& taken, Settlement settlement) const {
  auto words = begin_words("settle", taken.limit, taken.key, {}, false);
  words.push_back(std::to_string(taken.window));
  words.emplace_back(to_word(settlement));
  return {.script = 0, .words = std::move(words)};
}

Task<Result<KnownCount>> RedisCounts::settle(Reservation taken, Settlement settlement, KnownCount before,
                                             bool publish) {
  auto words = begin_words("settle", taken.limit, taken.key, before, publish);
  words.push_back(std::to_string(taken.window));
  words.emplace_back(to_word(settlement));
  auto reply = co_await client_.run(0, std::move(words));
  if (!reply) co_return fail_from(reply);
  co_return to_counted(*reply, {}).known;
}

redis::Call RedisCounts::tell(const KnownKey& key, bool is_truth) const {
  // Merging is what every operation begins with; one that does not exist does nothing more.
  return {.script = 0,
          .words = begin_words(is_truth ? "tell" : "merge", key.limit, key.key, key.known, false)};
}

std::optional<KnownKey> RedisCounts::parse_message(std::string_view message) {
  const auto name = next_word(message);
  const auto colon = name.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto limit = std::ranges::find(limit_class_names, name.substr(0, colon));
  const auto key = parse_key(name.substr(colon + 1));
  const auto window = parse_number<std::uint64_t>(next_word(message));
  const auto version = parse_number<std::uint32_t>(next_word(message));
  const auto generation = parse_number<std::uint32_t>(next_word(message));
  const auto count = parse_number<std::uint32_t>(next_word(message));
  const auto left = parse_number<std::int64_t>(next_word(message));
  if (limit == limit_class_names.end() || !key || !window || !version || !generation || !count || !left)
    return std::nullopt;
  return KnownKey{.limit = static_cast<LimitClass>(limit - limit_class_names.begin()),
                  .key = *key,
                  .known = {.window = *window,
                            .version = *version,
                            .generation = *generation,
                            .count = *count,
                            .left = std::chrono::milliseconds{*left}}};
}

}  // namespace keyward::domain
