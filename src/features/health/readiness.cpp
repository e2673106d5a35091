#include "features/health/readiness.hpp"

#include <exception>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "runtime/pause.hpp"
#include "runtime/within.hpp"
#include "storage/migrations.hpp"

namespace keyward::features {

namespace {

constexpr std::chrono::milliseconds look_interval{20};  // at the answer to another's question

}  // namespace

Task<DatabaseState> Readiness::ask() {
  while (true) {
    bool ours = false;
    {
      const std::scoped_lock lock{mutex_};
      const auto now = std::chrono::steady_clock::now();
      if (const auto known = find_known(now)) co_return *known;
      ours = !asked_at_;
      if (ours) asked_at_ = now;
    }
    if (!ours) {
      co_await pause(look_interval);
      continue;
    }
    if (!co_await within(limits::readiness_timeout, ask_database(shared_from_this()))) {
      const std::scoped_lock lock{mutex_};
      tell(DatabaseState::silent, "no answer in time", std::chrono::steady_clock::now());
    }
  }
}

std::optional<DatabaseState> Readiness::find_known(Moment now) const {
  if (asked_at_)
    return now - *asked_at_ < limits::readiness_timeout ? std::nullopt : std::optional{DatabaseState::silent};
  return state_ && now - answered_at_ < limits::readiness_kept ? state_ : std::nullopt;
}

Task<bool> Readiness::ask_database(std::shared_ptr<Readiness> self) {
  try {
    const auto missing = co_await self->database_.read(storage::count_missing_migrations);
    self->answered(missing == 0 ? DatabaseState::ready : DatabaseState::lacks_migrations,
                   missing == 0 ? "" : "migrations are missing");
  } catch (const std::exception& exception) {
    self->answered(DatabaseState::silent, exception.what());
  }
  co_return true;
}

void Readiness::answered(DatabaseState state, const std::string& reason) {
  const std::scoped_lock lock{mutex_};
  const auto now = std::chrono::steady_clock::now();
  state_ = state;
  answered_at_ = now;
  asked_at_.reset();
  tell(state, reason, now);
}

void Readiness::tell(DatabaseState state, const std::string& reason, Moment now) {
  if (state == told_ || (told_at_ && now - *told_at_ < limits::readiness_log_interval)) return;
  told_ = state;
  told_at_ = now;
  if (state == DatabaseState::ready) {
    log(LogLevel::info, "ready_again");
  } else {
    log(LogLevel::warning, "not_ready", {{"reason", reason}});
  }
}

}  // namespace keyward::features
