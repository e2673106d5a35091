// RequestContext: what an extractor may look at; and Services, through which an access type finds its
// verifier.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "web/message.hpp"

namespace keyward::web {

struct Route;

/// Objects by their type, filled at wiring and only read afterwards. They outlive the router.
class Services {
 public:
  /// `provide(verifier)`, or `provide<Interface>(implementation)`.
  template <class S>
  void provide(S& service) {
    all_.emplace_back(&key<S>, &service);
  }
  template <class S>
  [[nodiscard]] S* find() const {
    for (const auto& [type, service] : all_) {
      if (type == &key<S>) return static_cast<S*>(service);
    }
    return nullptr;
  }

 private:
  template <class S>
  static inline const char key = 0;

  std::vector<std::pair<const char*, void*>> all_;
};

struct RequestContext {
  Request& request;
  const Route& route;
  const Services& services;

  /// What wiring provided; a missing one is our own mistake, found at the first request.
  template <class S>
  [[nodiscard]] S& service() const {
    auto* found = services.find<S>();
    if (found == nullptr)
      throw std::logic_error("Keyward: a service that an extractor needs was not provided");
    return *found;
  }
};

}  // namespace keyward::web
