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

Readiness::Readiness(storage::Database& database)
    : Readiness(Question{[&database] { return database.read(storage::count_missing_migrations); }}) {}

Task<DatabaseState> Readiness::ask() {
  const auto began = std::chrono::steady_clock::now();
  while (true) {
    std::uint64_t ours = 0;
    {
      const Lock lock{mutex_};
      const auto now = std::chrono::steady_clock::now();
      if (const auto known = find_known(now)) co_return *known;
      if (now - began >= limits::readiness_timeout) co_return DatabaseState::silent;
      if (is_overdue(now)) {
        ours = ++asked_;
        asked_at_ = now;
        ++questions_;
      }
    }
    if (ours == 0) {
      co_await pause(look_interval);
      continue;
    }
    if (!co_await within(limits::readiness_timeout, ask_database(shared_from_this(), ours))) {
      const Lock lock{mutex_};
      tell(DatabaseState::silent, "no answer in time", std::chrono::steady_clock::now());
      co_return DatabaseState::silent;
    }
  }
}

bool Readiness::is_overdue(Moment now) const {
  return answered_ == asked_ || now - asked_at_ >= limits::readiness_timeout;
}

std::optional<DatabaseState> Readiness::find_known(Moment now) const {
  if (state_ && now - answered_at_ < limits::readiness_kept) return state_;
  if (questions_ == questions_max && is_overdue(now)) return DatabaseState::silent;
  return std::nullopt;
}

Task<bool> Readiness::ask_database(std::shared_ptr<Readiness> self, std::uint64_t number) {
  try {
    const auto missing = co_await self->question_();
    self->answered(number, missing == 0 ? DatabaseState::ready : DatabaseState::lacks_migrations,
                   missing == 0 ? "" : "migrations are missing");
  } catch (const std::exception& exception) {
    self->answered(number, DatabaseState::silent, exception.what());
  }
  co_return true;
}

void Readiness::answered(std::uint64_t number, DatabaseState state, const std::string& reason) {
  const Lock lock{mutex_};
  --questions_;
  if (number < answered_) return;  // a later one has been answered
  const auto now = std::chrono::steady_clock::now();
  state_ = state;
  answered_ = number;
  answered_at_ = now;
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
