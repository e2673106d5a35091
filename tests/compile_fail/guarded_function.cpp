// expect: calling function 'ring' requires holding mutex 'shared.mutex' exclusively
#include "base/mutex.hpp"

struct Shared {
  keyward::Mutex mutex;
  int rings KEYWARD_GUARDED_BY(mutex) = 0;
  void ring() KEYWARD_REQUIRES(mutex) { ++rings; }
};
void ring(Shared& shared) {
  keyward::Lock lock{shared.mutex};
  shared.ring();
  lock.unlock();
  shared.ring();
}
