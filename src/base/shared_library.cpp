#include "base/shared_library.hpp"

#include <dlfcn.h>

#include <stdexcept>

namespace keyward {

SharedLibrary::SharedLibrary(std::string name)
    : name_(std::move(name)), handle_(::dlopen(name_.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): of this thread, in the C libraries that we know
  if (handle_ == nullptr) throw std::runtime_error(name_ + " is needed here: " + ::dlerror());
}

void* SharedLibrary::address_of(const char* symbol) const {
  void* const address = ::dlsym(handle_, symbol);
  if (address == nullptr) throw std::runtime_error(name_ + " has no " + symbol);
  return address;
}

}  // namespace keyward
