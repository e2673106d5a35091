#include "domain/passwords/password_hasher.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/limits.hpp"
#include "crypto/hash_memory.hpp"

namespace keyward::domain {
namespace {

PasswordHasherOptions checked(PasswordHasherOptions options) {
  if (const auto fit = crypto::check_argon2_settings(options.argon2); !fit) {
    throw std::invalid_argument(fit.error().message);
  }
  if (options.threads == 0) options.threads = std::max(1U, std::thread::hardware_concurrency());
  return options;
}

}  // namespace

PasswordHasher::PasswordHasher(PasswordHasherOptions options)
    : options_(checked(std::move(options))),
      unmatchable_(crypto::make_unmatchable_hash(options_.argon2)),
      pool_({.name = "passwords",
             .threads = options_.threads,
             .queue_max = options_.queue_max,
             .nice = options_.nice,
             .on_idle = crypto::release_hash_memory,
             .idle_after = limits::hash_memory_kept}) {}

Task<Result<std::string>> PasswordHasher::hash(Secret password) {
  auto reserved = reserve(password.size(), {});
  if (!reserved) co_return fail_from(reserved);
  co_return count_refusal(
      co_await pool_.run([this, password = std::move(password), reservation = std::move(*reserved)] {
        waits_.observe(reservation.age());
        return blocking_hash(password);
      }));
}

Task<Result<std::string>> PasswordHasher::hash_new(Secret password, PasswordPolicy policy,
                                                   NewPassword about) {
  auto reserved = reserve(password.size(), {});
  if (!reserved) co_return fail_from(reserved);
  auto outcome = co_await pool_.run([this, password = std::move(password), policy, about = std::move(about),
                                     reservation = std::move(*reserved)]() -> Result<std::string> {
    waits_.observe(reservation.age());
    const PasswordContext context{about.email, about.full_name, about.service_name};
    auto fit = blocking_check_new_password(password, policy, context, about.field);
    if (!fit) return fail_from(fit);
    return blocking_hash(password);
  });
  auto counted = count_refusal(std::move(outcome));
  if (!counted) co_return fail_from(counted);
  co_return std::move(*counted);
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): copied before it waits
Task<Result<void>> PasswordHasher::check_new(const Secret& password, PasswordPolicy policy,
                                             NewPassword about) {
  auto reserved = reserve(password.size(), {});
  if (!reserved) co_return fail_from(reserved);
  auto outcome = co_await pool_.run([this, password = password.copy(), policy, about = std::move(about),
                                     reservation = std::move(*reserved)]() -> Result<void> {
    waits_.observe(reservation.age());
    return blocking_check_new_password(password, policy, {about.email, about.full_name, about.service_name},
                                       about.field);
  });
  auto counted = count_refusal(std::move(outcome));
  if (!counted) co_return fail_from(counted);
  co_return std::move(*counted);
}

Task<Result<crypto::PasswordCheck>> PasswordHasher::verify(Secret password, std::string stored) {
  auto reserved = reserve(password.size(), stored);
  if (!reserved) co_return fail_from(reserved);
  co_return count_refusal(co_await pool_.run(
      [this, password = std::move(password), stored = std::move(stored), reservation = std::move(*reserved)] {
        waits_.observe(reservation.age());
        return blocking_verify(password, stored);
      }));
}

std::string PasswordHasher::blocking_hash(const Secret& password) {
  const Stopwatch watch;
  auto made = crypto::blocking_hash_password(password, options_.argon2);
  hashes_.observe(watch.passed());
  ++hashes_done_;
  return made;
}

crypto::PasswordCheck PasswordHasher::blocking_verify(const Secret& password, std::string_view stored) {
  const Stopwatch watch;
  auto check = crypto::blocking_verify_password(password, stored, options_.argon2);
  if (!check.hashed) (void)crypto::blocking_verify_password(password, unmatchable_, options_.argon2);
  hashes_.observe(watch.passed());
  ++hashes_done_;
  return check;
}

PasswordHasherStatistics PasswordHasher::statistics() const {
  return {hashes_done_.load(), refused_.load(), pool_.waiting(), waits_.values(), hashes_.values()};
}

Result<PasswordHasher::Reservation> PasswordHasher::reserve(std::size_t password_bytes,
                                                            std::string_view stored) {
  if (password_bytes > limits::password_max_bytes) return fail_field("password", "The password is too long");
  const std::size_t live_bytes = std::size_t{options_.argon2.memory_kib} * 1024;
  const std::size_t over_bytes = std::max(crypto::verify_memory_bytes(stored), live_bytes) - live_bytes;
  const std::size_t bytes = password_bytes + stored.size() + over_bytes;
  const std::size_t used_before = used_bytes_.fetch_add(bytes);
  Reservation reservation{used_bytes_, bytes};
  if (used_before != 0 && used_before + bytes > options_.memory_max_bytes) {
    ++refused_;
    return refuse();
  }
  return reservation;
}

template <class T>
Result<T> PasswordHasher::count_refusal(Result<T> result) {
  if (!result && result.error().code == ErrorCode::unavailable) {
    ++refused_;
    result.error().retry_after_s = options_.retry_after_s;
  }
  return result;
}

std::unexpected<Error> PasswordHasher::refuse() {
  return std::unexpected(Error{ErrorCode::unavailable,
                               "The server is busy",
                               "password hashing is out of memory budget",
                               {},
                               options_.retry_after_s});
}

}  // namespace keyward::domain
