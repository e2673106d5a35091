// FreeWith: std::unique_ptr's deleter for the handle of a C library, from the function that frees it.
#pragma once

namespace keyward {

template <auto free_function>
struct FreeWith {
  template <class T>
  void operator()(T* handle) const noexcept {
    (void)free_function(handle);
  }
};

}  // namespace keyward
