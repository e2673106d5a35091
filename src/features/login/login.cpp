#include "features/login/login.hpp"

#include <exception>

#include "text/email.hpp"

namespace keyward::features {

namespace {

std::unexpected<Error> invalid_credentials(std::string reason) {
  return fail(ErrorCode::invalid_credentials, "Invalid credentials", std::move(reason));
}

/// Why these credentials are refused; empty when they are good.
std::string_view find_refusal(const std::optional<domain::Account>& account,
                              const crypto::PasswordCheck& check, bool needs_verified_email) {
  if (!account) return "unknown_account";
  if (!check.matches) return "wrong_password";
  if (account->disabled) return "account_disabled";
  if (needs_verified_email && !account->email_verified) return "email_unverified";
  return {};
}

}  // namespace

Task<Result<TokenAnswer>> Login::log_in(web::Public, web::Body<LoginForm, web::Unknown::ignored> form,
                                        web::Client client, PresentedDevice device, RequestedLocale locale,
                                        web::AnswerHeaders headers) {
  Outcome outcome{results};
  if (form->email.has_value() == form->username.has_value()) {
    outcome.is("invalid_input");
    co_return fail_field("email", "send either email or username");
  }
  auto password = domain::prepare_password(std::move(form->password));
  if (!password) co_return outcome.refuse(password.error());
  auto name = std::move(form->email ? *form->email : *form->username);
  auto attempt = co_await attempts.begin({name, std::move(device), client, headers});
  if (!attempt) co_return outcome.refuse(attempt.error());

  std::exception_ptr broken;
  auto answer = Result<TokenAnswer>{std::unexpect};
  try {
    answer = co_await log_in_within_limits(std::move(name), std::move(*password),
                                           {.asker = {std::move(client), std::move(locale.tag), std::nullopt},
                                            .device_known_at = attempt->device_known_at,
                                            .failures_before = attempt->failures_before});
  } catch (const std::exception&) {
    broken = std::current_exception();  // a database that is away for a minute must not lock everyone out
  }
  if (!broken && answer) {
    attempts.remember_device(*attempt);
    co_await attempts.succeeded(std::move(*attempt));
  } else if (!broken && answer.error().code == ErrorCode::invalid_credentials) {
    co_await attempts.failed(std::move(*attempt));
  } else {
    co_await attempts.give_back(std::move(*attempt));  // a wrong password never ends here
  }
  if (broken) std::rethrow_exception(broken);
  if (!answer && answer.error().code == ErrorCode::invalid_credentials) {
    outcome.is("invalid_credentials");  // the event knows which
    co_return fail_from(answer);
  }
  if (!answer) co_return outcome.refuse(answer.error());
  outcome.is("success");
  co_return answer;
}

Task<Result<TokenAnswer>> Login::log_in_within_limits(std::string name, Secret password, Visitor visitor) {
  auto account = co_await check_credentials(std::move(name), std::move(password), visitor.asker.client);
  if (!account) co_return fail_from(account);
  co_return co_await start_session(std::move(*account), std::move(visitor));
}

Task<Result<domain::Account>> Login::check_credentials(std::string name, Secret password,
                                                       web::Client client) {
  // What is no address can be nobody's: it takes the way of an unknown account, hash and all.
  auto email = text::parse_email(name);
  auto account = co_await database.read(
      [normalized = email ? email->normalized : std::string{}](storage::Transaction& transaction) {
        return domain::find_account_by_email(transaction, normalized);
      });
  // An unknown account has an empty hash, which costs what a real one costs.
  auto stored = account ? account->password_hash.value_or("") : std::string{};
  auto check = co_await hasher.verify(password.copy(), stored);
  if (!check) co_return fail_from(check);

  if (const auto refusal = find_refusal(account, *check, needs_verified_email); !refusal.empty()) {
    auto event =
        about("authn_login_fail", client, account ? std::optional{account->id} : std::nullopt, refusal);
    event.email = name;
    events.emit(std::move(event));
    co_return invalid_credentials(std::string{refusal});
  }
  if (!check->needs_upgrade) co_return std::move(*account);

  auto upgraded = co_await hasher.hash(password.copy());
  // A busy server upgrades at the next login instead.
  if (!upgraded) co_return std::move(*account);
  const bool replaced = co_await database.write(
      [&, id = account->id, hash = *upgraded, now = clock.now()](storage::Transaction& transaction) {
        if (!domain::replace_password_hash(transaction, id, stored, hash, now)) return false;
        events.record(transaction, about("authn_password_upgraded", client, id));
        return true;
      });
  // Another login upgraded it first, or the password was changed: whichever it was, the stored hash decides
  // anew.
  if (!replaced)
    co_return co_await check_credentials(std::move(name), std::move(password), std::move(client));
  account->password_hash = std::move(*upgraded);
  co_return std::move(*account);
}

Task<Result<TokenAnswer>> Login::start_session(domain::Account account, Visitor visitor) {
  co_return co_await sessions.start([&](storage::Transaction& transaction) -> Result<NewSession> {
    const auto now = clock.now();
    // Conditional: an account that was disabled, deleted or given another password since this one was checked
    // gets no session.
    if (!domain::record_login(transaction, account.id, account.password_hash.value_or(""), now))
      return invalid_credentials("account_changed");
    return sessions.make(transaction, account, visitor, now);
  });
}

}  // namespace keyward::features
