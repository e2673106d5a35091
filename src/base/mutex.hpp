// Mutex, Lock and Condition: those of the standard library, and annotated, so that Clang's thread-safety
// analysis refuses to compile an access to shared data without its lock (-Wthread-safety,
// cmake/toolchain.cmake).
//
// KEYWARD_GUARDED_BY(mutex) stands behind each member that several threads touch, KEYWARD_REQUIRES(mutex)
// behind each function that is called with the lock held: also behind the lambda that a Condition is waited
// for with. What the analysis does not see: constructors and destructors, and what is guarded by order alone
// (set before a thread starts, read after it is joined); the latter says so where it stands.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#ifdef __clang__
#define KEYWARD_ATTRIBUTE(...) __attribute__((__VA_ARGS__))
#else
#define KEYWARD_ATTRIBUTE(...)
#endif
#define KEYWARD_GUARDED_BY(...) KEYWARD_ATTRIBUTE(guarded_by(__VA_ARGS__))
#define KEYWARD_REQUIRES(...) KEYWARD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define KEYWARD_ACQUIRES(...) KEYWARD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define KEYWARD_RELEASES(...) KEYWARD_ATTRIBUTE(release_capability(__VA_ARGS__))

namespace keyward {

class KEYWARD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() KEYWARD_ACQUIRES() { mutex_.lock(); }
  void unlock() KEYWARD_RELEASES() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

/// Holds the mutex to the end of the scope; in between it can be given up and taken again.
class KEYWARD_ATTRIBUTE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) KEYWARD_ACQUIRES(mutex) : mutex_(mutex) { mutex_.lock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() KEYWARD_RELEASES() {
    if (held_) mutex_.unlock();
  }

  void unlock() KEYWARD_RELEASES() {
    held_ = false;
    mutex_.unlock();
  }
  void lock() KEYWARD_ACQUIRES() {
    mutex_.lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

/// What threads wait for. `is_met` is called with the mutex held and is annotated so:
/// `wake_.wait(mutex_, [this]() KEYWARD_REQUIRES(mutex_) { return closing_; })`.
class Condition {
 public:
  template <class Predicate>
  void wait(Mutex& mutex, Predicate is_met) KEYWARD_REQUIRES(mutex) {
    const Adopted held{mutex.mutex_};
    changed_.wait(held.lock, is_met);
  }
  /// False: the time is over and it is still not met.
  template <class Rep, class Period, class Predicate>
  bool wait_for(Mutex& mutex, std::chrono::duration<Rep, Period> time, Predicate is_met)
      KEYWARD_REQUIRES(mutex) {
    const Adopted held{mutex.mutex_};
    return changed_.wait_for(held.lock, time, is_met);
  }
  void notify_one() { changed_.notify_one(); }
  void notify_all() { changed_.notify_all(); }

 private:
  /// The standard library's lock, for the time of a wait: the caller keeps the mutex, also when the predicate
  /// throws.
  struct Adopted {
    explicit Adopted(std::mutex& mutex) : lock(mutex, std::adopt_lock) {}
    Adopted(const Adopted&) = delete;
    Adopted& operator=(const Adopted&) = delete;
    ~Adopted() { lock.release(); }
    mutable std::unique_lock<std::mutex> lock;
  };
  std::condition_variable changed_;
};

}  // namespace keyward
