#include "domain/audit/event_log.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace keyward::domain {

EventLog::Budget::Budget(std::size_t burst, std::size_t per_s, Time now)
    : burst_(static_cast<double>(burst)), per_s_(static_cast<double>(per_s)), left_(burst_), at_(now) {}

bool EventLog::Budget::take(Time now) {
  const std::chrono::duration<double> passed = now - at_;
  left_ = std::min(burst_, left_ + std::max(0.0, passed.count() * per_s_));
  at_ = now;
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

EventLog::EventLog(int output, const AuditTrail* trail, storage::Database* database, const Clock& clock)
    : lines_(output),
      trail_(trail),
      database_(database),
      clock_(clock),
      refusal_budget_(limits::audit_refusals_burst, limits::audit_refusals_per_s, clock.now()),
      anonymous_budget_(limits::audit_anonymous_burst, limits::audit_anonymous_per_s, clock.now()),
      rows_finished_(trail == nullptr),
      keeper_(trail == nullptr ? std::jthread{} : std::jthread{[this] { keep_rows(); }}) {}

EventLog::~EventLog() {
  finish_rows();
  {
    const Lock lock{mutex_};
    closing_ = true;
  }
  wake_.notify_all();
}

void EventLog::record(storage::Transaction& transaction, SecurityEvent event) {
  const auto now = clock_.now();
  if (trail_ != nullptr) {
    event = trail_->shown(std::move(event));
    trail_->record(transaction, event, now);
  }
  add_trace(event);
  transaction.after_commit([this, name = event.name, line = to_json_line(event, now)] {
    counts_.add(name);
    print(line);
  });
}

void EventLog::emit(SecurityEvent event) {
  const auto now = clock_.now();
  if (trail_ != nullptr) event = trail_->shown(std::move(event));
  add_trace(event);
  counts_.add(event.name);
  print(to_json_line(event, now));
  if (trail_ != nullptr) keep(std::move(event), now);
}

/// Of the request that this thread works for.
void EventLog::add_trace(SecurityEvent& event) const {
  const auto* context = log_context();
  if (context != nullptr && context->request_id == event.request_id) event.trace_id = context->trace_id;
}

void EventLog::keep(SecurityEvent event, Time now) {
  bool is_first = false;
  {
    const Lock lock{mutex_};
    if (rows_finished_) return;
    const bool anonymous = !event.account_id && !event.session_id && event.email.empty();
    // The count is bounded too: while the database is away, nobody takes them.
    if (refusals_.size() >= limits::event_queue_max ||
        !(anonymous ? anonymous_budget_ : refusal_budget_).take(now)) {
      ++omitted_refusals_;
      return;
    }
    refusals_.push_back({std::move(event), now});
    is_first = refusals_.size() == 1;
  }
  if (is_first) wake_.notify_all();  // the others find it gathering
}

bool EventLog::may_store() const { return !refusals_.empty() && !storing_; }

void EventLog::finish_rows() {
  Lock lock{mutex_};
  wake_.wait(mutex_, [this]() KEYWARD_REQUIRES(mutex_) {
    return rows_finished_ || (refusals_.empty() && !storing_);
  });
  rows_finished_ = true;
}

void EventLog::keep_rows() {
  pthread_setname_np(pthread_self(), "kw-event-rows");
  Lock lock{mutex_};
  while (true) {
    wake_.wait(mutex_, [this]() KEYWARD_REQUIRES(mutex_) { return closing_ || may_store(); });
    if (closing_) return;  // after finish_rows()
    // Not while the answer is on its way: as with the lines (A6).
    wake_.wait_for(mutex_, limits::event_gather_time, [this]() KEYWARD_REQUIRES(mutex_) { return closing_; });
    const auto count = std::min(refusals_.size(), limits::audit_refusals_group_max);
    const auto end = refusals_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Refusal> refusals{std::make_move_iterator(refusals_.begin()), std::make_move_iterator(end)};
    refusals_.erase(refusals_.begin(), end);
    const auto omitted = std::exchange(omitted_refusals_, 0);
    storing_ = true;
    lock.unlock();
    store(std::move(refusals), omitted);
    lock.lock();
  }
}

void EventLog::store(std::vector<Refusal> refusals, std::uint64_t omitted) {
  if (omitted != 0) {
    refusals.push_back({{.name = "audit_refusals_omitted", .detail = fmt::format("count {}", omitted)},
                        refusals.back().occurred_at});
  }
  const auto count = refusals.size();
  database_->write_later(
      [this, refusals = std::move(refusals)](storage::Transaction& transaction) {
        for (const auto& refusal : refusals) trail_->record(transaction, refusal.event, refusal.occurred_at);
      },
      [this, count](const Outcome<std::monostate>& stored) {
        if (!stored) log(LogLevel::error, "audit_refusals_not_stored", {{"count", std::to_string(count)}});
        const Lock lock{mutex_};  // held for the notice too: whoever waits may destroy us
        storing_ = false;
        wake_.notify_all();
      });
}

}  // namespace keyward::domain
