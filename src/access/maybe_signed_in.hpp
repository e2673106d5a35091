// MaybeSignedIn: the access type of a call that takes an access token or, instead, something of its own in
// the body. The handler says which; without either it answers with refusal().
#pragma once

#include <memory>
#include <utility>

#include "access/token_gate.hpp"
#include "web/endpoint/extract.hpp"

namespace keyward::access {

class MaybeSignedIn {
 public:
  using access_type_tag = void;
  static constexpr web::SecurityRequirement security{.bearer_token = true, .optional = true};

  /// The caller; null when there was no access token, or no good one.
  [[nodiscard]] const Principal* find() const { return principal_.get(); }
  /// Why there is no caller, as SignedIn would have said it.
  [[nodiscard]] const Error& refusal() const { return refusal_; }

 private:
  friend struct web::Extract<MaybeSignedIn>;
  explicit MaybeSignedIn(std::shared_ptr<const Principal> principal) : principal_(std::move(principal)) {}
  explicit MaybeSignedIn(Error refusal) : refusal_(std::move(refusal)) {}

  std::shared_ptr<const Principal> principal_;
  Error refusal_;
};

}  // namespace keyward::access

template <>
struct keyward::web::Extract<keyward::access::MaybeSignedIn> {
  using MaybeSignedIn = access::MaybeSignedIn;

  static std::optional<Result<MaybeSignedIn>> try_from(RequestContext& context) {
    auto known = context.service<access::TokenGate>().find_admitted(context.request);
    if (!known) return std::nullopt;
    return MaybeSignedIn{std::move(known)};
  }
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
  static Task<Result<MaybeSignedIn>> from(RequestContext& context) {
    auto admitted = co_await context.service<access::TokenGate>().admit(context.request);
    if (admitted) co_return MaybeSignedIn{std::move(*admitted)};
    // Always the token's fault: a server that cannot look throws, so that nobody is taken for a caller
    // without one.
    co_return MaybeSignedIn{std::move(admitted).error()};
  }
  static void describe(Route& route) { route.refusals.push_back(ErrorCode::invalid_token); }
};
