// SharedLibrary: a library of the system that is loaded when it is first needed.
//
// libcurl and GMime bring some forty further libraries with them, which cost 8 MB and 20 ms of every start,
// also of `keyward version` and of servers that never send a mail over SMTP. Types come from their own
// headers, so a wrong signature does not compile. Never unloaded: they keep state of their own.
#pragma once

#include <string>

namespace keyward::mail {

class SharedLibrary {
 public:
  /// `name` as the loader looks for it, "libcurl.so.4". Throws std::runtime_error when it is not installed.
  explicit SharedLibrary(std::string name);

  /// Throws std::runtime_error when the library has no such function.
  template <class Function>
  void find(Function*& function, const char* symbol) const {
    function = reinterpret_cast<Function*>(address_of(symbol));
  }

 private:
  [[nodiscard]] void* address_of(const char* symbol) const;

  std::string name_;
  void* handle_;
};

}  // namespace keyward::mail
