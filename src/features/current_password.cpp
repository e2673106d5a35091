#include "features/current_password.hpp"

#include <exception>

#include "domain/passwords/password_policy.hpp"
#include "features/events.hpp"

namespace keyward::features {

Task<Result<void>> CurrentPassword::check(Check wanted) {
  auto password = domain::prepare_password(std::move(wanted.password), wanted.field);
  if (!password) co_return fail_from(password);
  auto attempt = co_await attempts.begin(
      {wanted.account.email, std::move(wanted.device), wanted.client, wanted.headers});
  if (!attempt) co_return fail_from(attempt);
  std::exception_ptr broken;
  auto check = Result<crypto::PasswordCheck>{std::unexpect};
  try {
    check = co_await hasher.verify(std::move(*password), wanted.account.password_hash.value_or(""));
  } catch (const std::exception&) {
    broken = std::current_exception();  // a machine that is out of memory must not lock everyone out
  }
  if (broken || !check) co_await attempts.give_back(std::move(*attempt));
  if (broken) std::rethrow_exception(broken);
  if (!check) co_return fail_from(check);
  if (check->matches) {
    co_await attempts.succeeded(std::move(*attempt));
    co_return Result<void>{};
  }
  co_await attempts.failed(std::move(*attempt));
  events.emit(about(wanted.refusal_event, wanted.client, wanted.account.id, "wrong_password"));
  co_return fail(ErrorCode::forbidden, "Current password is wrong");
}

}  // namespace keyward::features
