#include "outbound/documents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "runtime/completion.hpp"

namespace keyward::outbound {

namespace {

using Done = Completion<Fetched<Document>>;
using Ended = Outcome<Fetched<Document>>;
using SharedTrust = std::shared_ptr<const Trust>;

// After a failure with nothing to give instead: people wait, so a short outage is not made a long one.
constexpr seconds retry_without = limits::outbound_refetch_interval / 6;
constexpr seconds retry_with = limits::outbound_refetch_interval;

enum class Wish : std::uint8_t { any, newer };

struct Entry {
  std::string url;
  SharedTrust trust;
  Document document;  // null: none
  Time fresh_until{};
  Time stale_until{};
  std::optional<Failure> failure;  // of the last try
  Time next_try{};                 // after a failure
  Time next_newer{};
  Time used_at{};
  bool fetching = false;
  std::vector<Done> waiting = {};

  [[nodiscard]] Fetched<Document> best() const {
    if (document) return document;
    return std::unexpected(failure.value_or(Failure{Refusal::busy, "the server is stopping"}));
  }
};

}  // namespace

class Documents::State : public std::enable_shared_from_this<State> {
 public:
  State(Client& client, const Clock& clock) : client_(client), clock_(clock) {}
  static Task<Fetched<Document>> ask(std::shared_ptr<State> state, std::string url, SharedTrust trust,
                                     Wish wish);

 private:
  class Fetching;

  /// Calls `done` now or when it is fetched.
  void answer(const std::string& url, const SharedTrust& trust, Wish wish, Done done);
  std::shared_ptr<Entry> find(const std::string& url, const SharedTrust& trust) KEYWARD_REQUIRES(mutex_);
  /// Whether who asks has to wait; starts what they wait for.
  bool look(const std::shared_ptr<Entry>& entry, Wish wish, Time now) KEYWARD_REQUIRES(mutex_);
  void start(const std::shared_ptr<Entry>& entry) KEYWARD_REQUIRES(mutex_);
  static Task<void> fetch(std::shared_ptr<State> state, std::shared_ptr<Entry> entry);
  void settle(Entry& entry, Fetched<Answer> answer);
  void give_up(Entry& entry);
  void end(Entry& entry) KEYWARD_REQUIRES(mutex_);

  Client& client_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<std::shared_ptr<Entry>> entries_
      KEYWARD_GUARDED_BY(mutex_);  // and what they hold, but url and trust
};

/// A fetch that ends without a result (the server is stopping, or there is no memory) ends for those who
/// wait.
class Documents::State::Fetching {
 public:
  Fetching(std::shared_ptr<State> state, std::shared_ptr<Entry> entry)
      : state_(std::move(state)), entry_(std::move(entry)) {}
  Fetching(const Fetching&) = delete;
  Fetching& operator=(const Fetching&) = delete;
  ~Fetching() {
    if (!settled_) state_->give_up(*entry_);
  }
  void settle(Fetched<Answer> answer) {
    settled_ = true;
    state_->settle(*entry_, std::move(answer));
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Entry> entry_;
  bool settled_ = false;
};

Task<Fetched<Document>> Documents::State::ask(std::shared_ptr<State> state, std::string url,
                                              SharedTrust trust, Wish wish) {
  if (!trust) trust = std::make_shared<const Trust>();
  co_return co_await await_completion<Fetched<Document>>(
      [&](Done done) { state->answer(url, trust, wish, std::move(done)); });
}

void Documents::State::answer(const std::string& url, const SharedTrust& trust, Wish wish, Done done) {
  const auto now = clock_.steady();
  const Lock lock{mutex_};
  const auto entry = find(url, trust);
  entry->used_at = now;
  if (entry->document && now >= entry->stale_until) entry->document = nullptr;
  if (look(entry, wish, now)) {
    entry->waiting.push_back(std::move(done));
  } else {
    done(Ended{std::in_place, entry->best()});
  }
}

std::shared_ptr<Entry> Documents::State::find(const std::string& url, const SharedTrust& trust) {
  const auto found = std::ranges::find_if(entries_, [&](const auto& entry) {
    return entry->url == url && (entry->trust == trust || *entry->trust == *trust);
  });
  if (found != entries_.end()) return *found;
  if (entries_.size() >= limits::outbound_cache_entries_max) {
    // One that is being fetched is the last to go; who waits for it is told by the fetch all the same.
    entries_.erase(std::ranges::min_element(
        entries_, {}, [](const auto& entry) { return std::pair{entry->fetching, entry->used_at}; }));
  }
  return entries_.emplace_back(std::make_shared<Entry>(Entry{.url = url, .trust = trust}));
}

bool Documents::State::look(const std::shared_ptr<Entry>& entry, Wish wish, Time now) {
  const bool may_try = !entry->failure || now >= entry->next_try;
  if (!entry->document) {
    if (!entry->fetching && !may_try) return false;
    if (wish == Wish::newer && !entry->fetching) entry->next_newer = now + limits::outbound_refetch_interval;
    start(entry);
    return true;
  }
  if (wish == Wish::newer && entry->fetching) return true;
  if (wish == Wish::newer && now >= entry->next_newer) {
    entry->next_newer = now + limits::outbound_refetch_interval;
    start(entry);
    return true;
  }
  if (now >= entry->fresh_until && may_try) start(entry);
  return false;
}

void Documents::State::start(const std::shared_ptr<Entry>& entry) {
  if (std::exchange(entry->fetching, true)) return;
  const auto executor = client_.executor();
  asio::post(executor, [executor, state = shared_from_this(), entry] {
    spawn(executor, fetch(state, entry), "document");
  });
}

Task<void> Documents::State::fetch(std::shared_ptr<State> state, std::shared_ptr<Entry> entry) {
  Fetching fetching{state, entry};
  fetching.settle(co_await state->client_.send(Request{.url = entry->url, .trust = entry->trust}));
}

void Documents::State::settle(Entry& entry, Fetched<Answer> answer) {
  if (answer && answer->status != 200)
    answer = Failure::of(Refusal::malformed, fmt::format("status {}", answer->status));
  if (!answer) {
    log(LogLevel::warning, "document_not_fetched",
        {{"url", entry.url}, {"reason", to_word(answer.error().refusal)}, {"detail", answer.error().detail}});
  }
  const auto now = clock_.steady();
  const Lock lock{mutex_};
  if (answer) {
    const auto fresh =
        std::clamp(answer->max_age.value_or(limits::outbound_fresh),
                   seconds{limits::outbound_refetch_interval}, seconds{limits::outbound_stale});
    entry.document = std::make_shared<const std::string>(std::move(answer->body));
    entry.fresh_until = now + fresh;
    entry.stale_until = now + limits::outbound_stale;
    entry.failure.reset();
  } else {
    entry.failure = std::move(answer).error();
    // Busy are we, not they: the next one to come may try.
    const bool busy = entry.failure->refusal == Refusal::busy;
    entry.next_try = now + (busy ? seconds{0} : entry.document ? retry_with : retry_without);
  }
  end(entry);
}

void Documents::State::give_up(Entry& entry) {
  const Lock lock{mutex_};
  end(entry);
}

void Documents::State::end(Entry& entry) {
  entry.fetching = false;
  for (auto& done : std::exchange(entry.waiting, {})) done(Ended{std::in_place, entry.best()});
}

Documents::Documents(Client& client, const Clock& clock) : state_(std::make_shared<State>(client, clock)) {}

Documents::~Documents() = default;

Task<Fetched<Document>> Documents::get(std::string url, std::shared_ptr<const Trust> trust) {
  return State::ask(state_, std::move(url), std::move(trust), Wish::any);
}

Task<Fetched<Document>> Documents::get_newer(std::string url, std::shared_ptr<const Trust> trust) {
  return State::ask(state_, std::move(url), std::move(trust), Wish::newer);
}

}  // namespace keyward::outbound
