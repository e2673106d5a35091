// SignedIn: the access type of everything that needs an account. Holding one is the proof: only TokenGate
// makes them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "access/token_gate.hpp"
#include "web/endpoint/extract.hpp"

namespace keyward::access {

/// The caller, as the database knew them at most limits::cached_account_max_age ago, and not changed since.
class SignedIn {
 public:
  using access_type_tag = void;
  static constexpr web::SecurityRequirement security{.bearer_token = true};

  const Principal& operator*() const { return *principal_; }
  const Principal* operator->() const { return principal_.get(); }

 private:
  friend struct web::Extract<SignedIn>;
  explicit SignedIn(std::shared_ptr<const Principal> principal) : principal_(std::move(principal)) {}

  std::shared_ptr<const Principal> principal_;
};

}  // namespace keyward::access

template <>
struct keyward::web::Extract<keyward::access::SignedIn> {
  using SignedIn = access::SignedIn;

  static std::optional<Result<SignedIn>> try_from(RequestContext& context) {
    auto known = context.service<access::TokenGate>().find_admitted(context.request);
    if (!known) return std::nullopt;
    return SignedIn{std::move(known)};
  }
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
  static Task<Result<SignedIn>> from(RequestContext& context) {
    auto admitted = co_await context.service<access::TokenGate>().admit(context.request);
    if (!admitted) co_return fail_from(admitted);
    co_return SignedIn{std::move(*admitted)};
  }
  static void describe(Route& route) { route.refusals.push_back(ErrorCode::invalid_token); }
};
