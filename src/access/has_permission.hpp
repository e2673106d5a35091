// HasPermission<"users:delete"> and HasRole<"admin">: access types for those who may do more than others.
//
// What somebody may do is read from the database when the token is used (at most
// limits::cached_account_max_age ago, and not changed since), never from the token. Without it: 403, and the
// event `authz_fail`. Threats: a mistyped name that nobody could ever have, or that lets everybody pass (does
// not compile) · a right that was taken away lives on in a token (Z1; see TokenGate).
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "access/signed_in.hpp"
#include "domain/roles/permissions.hpp"
#include "web/endpoint/fixed_string.hpp"

namespace keyward::access {

namespace detail {

/// SignedIn, and then more: how an Access that has is_met_by() and `needed` is taken from a request.
template <class Access>
struct ExtractNarrowed {
  static std::optional<Result<Access>> try_from(web::RequestContext& context) {
    auto known = web::Extract<SignedIn>::try_from(context);
    if (!known) return std::nullopt;
    return narrow(context, std::move(*known));
  }
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
  static Task<Result<Access>> from(web::RequestContext& context) {
    auto signed_in = co_await web::Extract<SignedIn>::from(context);
    co_return narrow(context, std::move(signed_in));
  }
  static void describe(web::Route& route) { web::Extract<SignedIn>::describe(route); }

 private:
  static Result<Access> narrow(web::RequestContext& context, Result<SignedIn> who) {
    if (!who) return fail_from(who);
    if (Access::is_met_by(**who)) return Access{std::move(*who)};
    return context.service<TokenGate>().refuse(**who, context.request, Access::needed);
  }
};

}  // namespace detail

template <web::FixedString permission>
class HasPermission {
  static_assert(domain::find_permission(permission.view()).has_value(),
                "Keyward: HasPermission<...> names a permission that is not in the catalogue of "
                "domain/roles/permissions.hpp");

 public:
  using access_type_tag = void;
  static constexpr std::string_view needed = permission.view();
  static constexpr web::SecurityRequirement security{.bearer_token = true, .permission = needed};
  static bool is_met_by(const Principal& who) { return who.permissions.contains(needed); }

  const Principal& operator*() const { return *who_; }
  const Principal* operator->() const { return who_.operator->(); }

 private:
  friend struct detail::ExtractNarrowed<HasPermission>;
  explicit HasPermission(SignedIn who) : who_(std::move(who)) {}

  SignedIn who_;
};

template <web::FixedString role>
class HasRole {
  static_assert(domain::is_built_in_role(role.view()),
                "Keyward: HasRole<...> names a role that is not built in: ask for a permission with "
                "HasPermission<...>, or see domain/roles/permissions.hpp");

 public:
  using access_type_tag = void;
  static constexpr std::string_view needed = role.view();
  static constexpr web::SecurityRequirement security{.bearer_token = true, .role = needed};
  static bool is_met_by(const Principal& who) {
    return std::ranges::find(who.roles, needed) != who.roles.end();
  }

  const Principal& operator*() const { return *who_; }
  const Principal* operator->() const { return who_.operator->(); }

 private:
  friend struct detail::ExtractNarrowed<HasRole>;
  explicit HasRole(SignedIn who) : who_(std::move(who)) {}

  SignedIn who_;
};

}  // namespace keyward::access

template <keyward::web::FixedString permission>
struct keyward::web::Extract<keyward::access::HasPermission<permission>>
    : keyward::access::detail::ExtractNarrowed<keyward::access::HasPermission<permission>> {};

template <keyward::web::FixedString role>
struct keyward::web::Extract<keyward::access::HasRole<role>>
    : keyward::access::detail::ExtractNarrowed<keyward::access::HasRole<role>> {};
