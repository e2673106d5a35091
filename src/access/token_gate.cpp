#include "access/token_gate.hpp"

#include <algorithm>

#include "access/generation_cache.hpp"
#include "base/limits.hpp"
#include "domain/accounts/accounts.hpp"

namespace keyward::access {

namespace {

struct KnownToken {
  domain::VerifiedToken claims;  // verified under the keys of `keys_revision`
  std::uint64_t keys_revision = 0;
  std::shared_ptr<const Principal> principal;
  std::uint64_t account_revision = 0;  // both read before `principal` was
  std::uint64_t roles_revision = 0;
  Time read_at;  // by the steady clock: keys and account are at least as new as that
};

/// Each loop is one thread and has a cache of its own, so there is nothing to lock.
GenerationCache<KnownToken>& tokens_of_this_loop(const TokenGate* gate) {
  thread_local GenerationCache<KnownToken> cache{limits::cached_tokens_max};
  thread_local const TokenGate* owner = nullptr;
  if (owner != gate) {
    cache = GenerationCache<KnownToken>{limits::cached_tokens_max};
    owner = gate;
  }
  return cache;
}

bool is_bearer(std::string_view scheme) {
  return std::ranges::equal(scheme, std::string_view{"bearer"},
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

/// The token of the one Authorization header; empty when there is none, or more than one, or another scheme.
std::string_view find_bearer_token(const web::Request& request) {
  const auto authorization = request.header("authorization");
  if (!authorization || authorization->size() > limits::authorization_header_max_bytes) return {};
  const auto space = authorization->find(' ');
  if (space == std::string_view::npos || !is_bearer(authorization->substr(0, space))) return {};
  const auto token = authorization->substr(space + 1);
  // One search for each: find_first_of() looks at them byte by byte.
  const bool is_one_word = !token.contains(' ') && !token.contains('\t') && !token.contains(',');
  return is_one_word ? token : std::string_view{};
}

bool still_holds(const KnownToken& known, const domain::Revisions& revisions, const Clock& clock) {
  return known.claims.expires_at > clock.now() && known.keys_revision == revisions.of_keys() &&
         known.principal && known.account_revision == revisions.of_account(known.principal->account.id) &&
         known.roles_revision == revisions.of_roles() &&
         clock.steady() - known.read_at < limits::cached_account_max_age;
}

std::optional<Principal> read_principal(storage::Transaction& transaction, const Uuid& account_id,
                                        const Uuid& session_id, Time now) {
  auto account = domain::find_live_account(transaction, session_id, account_id, now);
  if (!account) return std::nullopt;
  auto rights = domain::read_rights(transaction, account_id);
  return Principal{std::move(*account), session_id, std::move(rights.roles), rights.permissions};
}

}  // namespace

std::shared_ptr<const Principal> TokenGate::find_admitted(const web::Request& request) {
  const auto token = find_bearer_token(request);
  if (token.empty()) return nullptr;
  const auto* known = tokens_of_this_loop(this).find(token);
  if (known == nullptr || !still_holds(*known, use_.revisions, use_.clock)) return nullptr;
  return known->principal;
}

protocol::jose::Checked<domain::VerifiedToken> TokenGate::verify_once(std::string_view token,
                                                                      const domain::KeySnapshot& keys,
                                                                      Time now) const {
  const auto* known = tokens_of_this_loop(this).find(token);
  if (known != nullptr && known->keys_revision == keys.revision && known->claims.expires_at > now)
    return known->claims;
  return use_.tokens.verify(token, keys, now);
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
Task<Result<std::shared_ptr<const Principal>>> TokenGate::admit(const web::Request& request) {
  const auto token = find_bearer_token(request);
  if (token.empty()) {
    // RFC 6750 §3.1: a request without credentials is told no error code, only how to authenticate.
    co_return fail(ErrorCode::invalid_token, "Sign in first: send `Authorization: Bearer <access token>`");
  }
  const auto refuse = [&](std::string reason) {
    use_.events.emit({.name = "authz_fail",
                      .address = request.client.address,
                      .user_agent = request.client.user_agent,
                      .request_id = request.id,
                      .reason = reason});
    return fail(ErrorCode::invalid_token, "The access token is not valid", std::move(reason));
  };

  const auto keys = co_await use_.keys.current();
  const auto now = use_.clock.now();
  const auto claims = verify_once(token, *keys, now);
  if (!claims) co_return refuse(std::string{protocol::jose::to_word(claims.error().reason)});

  // The revisions are read before the rows: whoever changes the rows later bumps them later.
  const auto account_revision = use_.revisions.of_account(claims->account_id);
  const auto roles_revision = use_.revisions.of_roles();
  auto principal =
      co_await use_.database.read([account_id = claims->account_id, session_id = claims->session_id,
                                   now](storage::Transaction& transaction) {
        return read_principal(transaction, account_id, session_id, now);
      });
  if (!principal) co_return refuse("session_ended");
  auto shared = std::make_shared<const Principal>(std::move(*principal));
  tokens_of_this_loop(this).put(
      token, {*claims, keys->revision, shared, account_revision, roles_revision, keys->loaded_at});
  co_return shared;
}

std::unexpected<Error> TokenGate::refuse(const Principal& who, const web::Request& request,
                                         std::string_view needed) {
  use_.events.emit({.name = "authz_fail",
                    .account_id = who.account.id,
                    .session_id = who.session_id,
                    .address = request.client.address,
                    .user_agent = request.client.user_agent,
                    .request_id = request.id,
                    .reason = std::string{needed}});
  return fail(ErrorCode::forbidden, "You may not do this: it needs " + std::string{needed});
}

}  // namespace keyward::access
