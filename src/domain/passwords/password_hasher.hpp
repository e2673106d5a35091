// PasswordHasher: password hashing for the server, on its own threads, within its own memory.
//
// A hash burns a core for tens of milliseconds and tens of megabytes, on purpose. As many threads as cores do
// that and no more (a third one on two cores costs a quarter of the throughput), behind a queue with a bound
// in jobs and in bytes; past it, callers are told 503 with Retry-After at once (A8). The threads are nice, so
// that the loops stay quick under a flood of logins.
//
// Threat: telling accounts apart by time. Every verify() of an account that does not exist, or whose stored
// hash cannot be run, or whose password was refused without work, verifies against a hash with the live
// settings that nothing matches (A6).
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/metrics.hpp"
#include "base/secret.hpp"
#include "crypto/password_hash.hpp"
#include "domain/passwords/password_policy.hpp"
#include "runtime/work_pool.hpp"

namespace keyward::domain {

struct PasswordHasherOptions {
  crypto::Argon2Settings argon2;
  bool weak = false;            // for tests: also settings below the floor of P8
  std::size_t threads = 0;      // 0: as many as cores
  std::size_t queue_max = 256;  // jobs waiting, beside those running
  /// Of jobs that wait and run: passwords, stored hashes, and memory that a foreign hash takes over what the
  /// live settings take (threads * memory_kib is there in any case). A single job is always let in, whatever
  /// it takes.
  std::size_t memory_max_bytes = 256UL * 1024 * 1024;
  int nice = 10;
  int retry_after_s = 1;  // said with a refusal
};

struct PasswordHasherStatistics {
  std::uint64_t hashes_done = 0;  // computations, of any algorithm, dummies among them
  std::uint64_t refused = 0;      // 503: the queue or the byte budget was full
  std::size_t waiting = 0;
  HistogramValues waits{.buckets = duration_buckets};   // of a job, for its thread
  HistogramValues hashes{.buckets = duration_buckets};  // of a computation
};

/// PasswordContext with its own texts, for the way to another thread.
struct NewPassword {
  std::string email;
  std::string full_name;
  std::string service_name;
  std::string field = "password";  // that an error names
};

/// Destroyed before the loops that its callers run on. Passwords come from prepare_password.
class PasswordHasher {
 public:
  /// Throws std::invalid_argument with the sentence of check_argon2_settings.
  explicit PasswordHasher(PasswordHasherOptions options = {});

  /// The PHC text to store. Errors: unavailable; invalid_input for a password over
  /// limits::password_max_bytes, unhashed (P4).
  Task<Result<std::string>> hash(Secret password);
  /// The same for a password that is to be set: blocking_check_new_password first, on the pool's thread. A
  /// refused one costs no hash.
  Task<Result<std::string>> hash_new(Secret password, PasswordPolicy policy, NewPassword about);
  /// Only the check, on the pool's thread: for where the hash must not be made before something else is
  /// known.
  Task<Result<void>> check_new(const Secret& password, PasswordPolicy policy, NewPassword about);
  /// `stored` is empty for an account that does not exist: the same work, no match. Errors as above.
  Task<Result<crypto::PasswordCheck>> verify(Secret password, std::string stored);

  // For the command line: on the calling thread, outside queue and budget.
  std::string blocking_hash(const Secret& password);
  crypto::PasswordCheck blocking_verify(const Secret& password, std::string_view stored);

  [[nodiscard]] PasswordHasherStatistics statistics() const;
  [[nodiscard]] const crypto::Argon2Settings& settings() const { return options_.argon2; }

 private:
  /// Bytes of the budget, given back when the job is gone, however it went.
  class Reservation {
   public:
    Reservation(std::atomic<std::size_t>& used_bytes, std::size_t bytes)
        : used_bytes_(&used_bytes), bytes_(bytes) {}
    Reservation(Reservation&& other) noexcept
        : used_bytes_(std::exchange(other.used_bytes_, nullptr)), bytes_(other.bytes_), made_(other.made_) {}
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    Reservation& operator=(Reservation&&) = delete;
    ~Reservation() {
      if (used_bytes_ != nullptr) *used_bytes_ -= bytes_;
    }

    /// So far: until the job runs, the time that it waits.
    [[nodiscard]] std::chrono::nanoseconds age() const { return made_.passed(); }

   private:
    std::atomic<std::size_t>* used_bytes_;
    std::size_t bytes_;
    Stopwatch made_;
  };

  Result<Reservation> reserve(std::size_t password_bytes, std::string_view stored);
  template <class T>
  Result<T> count_refusal(Result<T> result);
  [[nodiscard]] std::unexpected<Error> refuse();

  PasswordHasherOptions options_;
  std::string unmatchable_;
  std::atomic<std::size_t> used_bytes_ = 0;
  std::atomic<std::uint64_t> hashes_done_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  Histogram waits_;
  Histogram hashes_;
  WorkPool pool_;  // last: its jobs use all of the above
};

}  // namespace keyward::domain
