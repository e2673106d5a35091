#include "domain/audit/event_log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace keyward::domain {

namespace {

/// False: the output takes nothing for now, or never again. `text` is what is left.
bool write_some(int output, std::string_view& text) {
  const auto written = ::write(output, text.data(), text.size());
  if (written >= 0) text.remove_prefix(static_cast<std::size_t>(written));
  if (written >= 0 || errno == EINTR) return true;
  if (errno != EAGAIN) return false;  // nobody reads any more, or the disk is full
  pollfd ready{.fd = output, .events = POLLOUT, .revents = 0};
  return ::poll(&ready, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

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
    : output_(output),
      trail_(trail),
      database_(database),
      clock_(clock),
      refusal_budget_(limits::audit_refusals_burst, limits::audit_refusals_per_s, clock.now()),
      anonymous_budget_(limits::audit_anonymous_burst, limits::audit_anonymous_per_s, clock.now()),
      rows_finished_(trail == nullptr),
      thread_([this] { thread_main(); }) {}

EventLog::~EventLog() {
  finish_rows();
  {
    const std::scoped_lock lock{mutex_};
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

void EventLog::print(const std::string& line) {
  if (output_ == no_output) return;
  {
    const std::scoped_lock lock{mutex_};
    if (line_count_ >= limits::event_queue_max) {
      ++dropped_lines_;
      dropped_.add();
      return;
    }
    lines_ += line;
    lines_ += '\n';
    ++line_count_;
  }
  wake_.notify_all();
}

void EventLog::keep(SecurityEvent event, Time now) {
  {
    const std::scoped_lock lock{mutex_};
    if (rows_finished_) return;
    const bool anonymous = !event.account_id && !event.session_id && event.email.empty();
    // The count is bounded too: while the reader of the log stalls, nobody takes them away.
    if (refusals_.size() >= limits::event_queue_max ||
        !(anonymous ? anonymous_budget_ : refusal_budget_).take(now)) {
      ++omitted_refusals_;
      return;
    }
    refusals_.push_back({std::move(event), now});
  }
  wake_.notify_all();
}

bool EventLog::may_store() const { return !refusals_.empty() && !storing_; }

void EventLog::finish_rows() {
  std::unique_lock lock{mutex_};
  wake_.wait(lock, [this] { return rows_finished_ || (refusals_.empty() && !storing_); });
  rows_finished_ = true;
}

void EventLog::thread_main() {
  pthread_setname_np(pthread_self(), "kw-events");
  while (true) {
    std::string lines;
    std::vector<Refusal> refusals;
    std::uint64_t dropped = 0;
    std::uint64_t omitted = 0;
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return closing_ || !lines_.empty() || may_store(); });
      // Not while the answer is on its way: what there is to write depends on why a login was refused, and a
      // machine that is busy with that answers later (A6).
      wake_.wait_for(lock, limits::event_gather_time, [this] { return closing_; });
      if (closing_ && lines_.empty()) return;
      lines.swap(lines_);
      line_count_ = 0;
      dropped = std::exchange(dropped_lines_, 0);
      if (may_store()) {
        const auto count = std::min(refusals_.size(), limits::audit_refusals_group_max);
        const auto end = refusals_.begin() + static_cast<std::ptrdiff_t>(count);
        refusals.assign(std::make_move_iterator(refusals_.begin()), std::make_move_iterator(end));
        refusals_.erase(refusals_.begin(), end);
        omitted = std::exchange(omitted_refusals_, 0);
        storing_ = true;
      }
    }
    // The rows first: a reader of the log that stalls must not hold the trail up.
    if (!refusals.empty()) store(std::move(refusals), omitted);
    write_out(lines);
    if (dropped != 0) log(LogLevel::error, "security_events_dropped", {{"count", std::to_string(dropped)}});
  }
}

void EventLog::write_out(std::string_view lines) {
  if (lines.empty()) return;
  std::string_view end{line_is_torn_ ? "\n" : ""};
  auto left = lines;
  while (!end.empty() && write_some(output_, end)) {
  }
  while (end.empty() && !left.empty() && write_some(output_, left)) {
  }
  const auto written = lines.size() - left.size();
  line_is_torn_ = written == 0 ? !end.empty() : lines[written - 1] != '\n';
  if (left.empty()) return;
  log(LogLevel::error, "security_events_not_written",
      {{"count", std::to_string(std::ranges::count(left, '\n'))}});
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
        const std::scoped_lock lock{mutex_};  // held for the notice too: whoever waits may destroy us
        storing_ = false;
        wake_.notify_all();
      });
}

}  // namespace keyward::domain
