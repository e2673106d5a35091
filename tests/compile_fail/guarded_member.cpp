// expect: writing variable 'rings' requires holding mutex 'shared.mutex' exclusively
#include "base/mutex.hpp"

struct Shared {
  keyward::Mutex mutex;
  int rings KEYWARD_GUARDED_BY(mutex) = 0;
};
void ring(Shared& shared) { ++shared.rings; }
