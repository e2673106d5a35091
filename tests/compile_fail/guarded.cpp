// Compiles: its three neighbours fail for the lock that they do not hold.
#include "base/mutex.hpp"

struct Shared {
  keyward::Mutex mutex;
  keyward::Condition rung;
  int rings KEYWARD_GUARDED_BY(mutex) = 0;
  void ring() KEYWARD_REQUIRES(mutex) { ++rings; }
};
void ring(Shared& shared) {
  keyward::Lock lock{shared.mutex};
  shared.rung.wait(shared.mutex, [&]() KEYWARD_REQUIRES(shared.mutex) { return shared.rings > 0; });
  lock.unlock();
  lock.lock();
  shared.ring();
}
