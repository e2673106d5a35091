// expect: calling function 'wait<
#include "base/mutex.hpp"

struct Shared {
  keyward::Mutex mutex;
  keyward::Condition rung;
  int rings KEYWARD_GUARDED_BY(mutex) = 0;
};
void wait(Shared& shared) {
  shared.rung.wait(shared.mutex, [&]() KEYWARD_REQUIRES(shared.mutex) { return shared.rings > 0; });
}
