// SharedLibrary: a library of the system that is loaded when it is first needed.
//
// libcurl, GMime, libpq and libidn2 bring some sixty further libraries with them, which cost 12 MB and 30 ms
// of every start, also of `keyward version` and of servers that never send a mail over SMTP or ask
// PostgreSQL. Types come from their own headers, so a wrong signature does not compile. Never unloaded: they
// keep state of their own.
#pragma once

#include <atomic>
#include <string>

namespace keyward {

/// As the loader looks for them.
namespace libraries {
inline constexpr const char* curl = "libcurl.so.4";
inline constexpr const char* gmime = "libgmime-3.0.so.0";
inline constexpr const char* idn2 = "libidn2.so.0";
inline constexpr const char* pq = "libpq.so.5";
}  // namespace libraries

class SharedLibrary {
 public:
  /// `name` is one of `libraries`. Throws std::runtime_error when it is not installed.
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

/// A function of such a library, called as if it were linked. `library` loads it, at the first call of any.
template <class Function, const SharedLibrary& (*library)()>
class LoadedFunction {
 public:
  constexpr explicit LoadedFunction(const char* symbol) : symbol_(symbol) {}

  template <class... Arguments>
  auto operator()(Arguments... arguments) const {
    Function* function = function_.load(std::memory_order_acquire);
    if (function == nullptr) {
      library().find(function, symbol_);
      function_.store(function, std::memory_order_release);
    }
    return function(arguments...);
  }

 private:
  const char* symbol_;
  mutable std::atomic<Function*> function_{nullptr};
};

}  // namespace keyward
