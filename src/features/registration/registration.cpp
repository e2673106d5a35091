#include "features/registration/registration.hpp"

#include "domain/accounts/accounts.hpp"

namespace keyward::features {

namespace {

std::unexpected<Error> taken() { return fail(ErrorCode::bad_request, "Email already registered"); }

std::unexpected<Error> refuse(Outcome& outcome, Error error) {
  const bool is_of_the_form = error.code == ErrorCode::bad_request || error.code == ErrorCode::invalid_input;
  auto refused = outcome.refuse(std::move(error));
  if (is_of_the_form) outcome.is("refused");
  return refused;
}

}  // namespace

Task<Result<web::Created<Registered>>> Registration::register_account(
    web::Public, web::Body<RegistrationForm, web::Unknown::ignored> form, web::Client client,
    RequestedLocale locale, web::AnswerHeaders headers) {
  Outcome outcome{results};
  if (auto admitted = co_await limits.admit(domain::LimitClass::register_address, client, headers);
      !admitted) {
    co_return refuse(outcome, admitted.error());
  }
  auto email = text::parse_email(form->email);
  if (!email) {
    outcome.is("refused");
    co_return fail_field("email", std::move(email).error().message);
  }

  auto password = domain::prepare_password(std::move(form->password));
  if (!password) co_return refuse(outcome, password.error());

  // What costs little and refuses often comes before the hash.
  const bool tells = verification != Verification::required;
  if (tells && co_await is_taken(email->normalized)) co_return refuse(outcome, taken().error());
  auto hash = co_await hasher.hash_new(std::move(*password), policy,
                                       {.email = email->as_typed, .full_name = form->full_name.value_or("")});
  if (!hash) co_return refuse(outcome, hash.error());

  const auto now = clock.now();
  Asker asker{std::move(client), std::move(locale.tag), std::nullopt};
  if (verification != Verification::off)
    asker.transaction_hash = begin_transaction(one_time_tokens, headers).hash;
  const domain::NewAccount account{.id = Uuid::make_v7(now, random),
                                   .email = std::move(*email),
                                   .full_name = std::move(form->full_name),
                                   .password_hash = std::move(*hash),
                                   .created_at = now};
  const bool made = co_await database.write([&](storage::Transaction& transaction) {
    if (asker.transaction_hash) domain::begin_code_transaction(transaction, *asker.transaction_hash, now);
    if (tells) return make_account(transaction, account, asker);
    auto request = to_deferred(domain::deferred_kind::registration, account.email, asker);
    request.account_id = account.id;
    request.full_name = account.full_name;
    request.password_hash = account.password_hash;
    deferred.add(transaction, request);
    return true;
  });
  if (!made) co_return refuse(outcome, taken().error());
  outcome.is("success");
  co_return web::Created<Registered>{{"User registered", account.email.as_typed, account.id}};
}

Task<bool> Registration::is_taken(std::string normalized) const {
  return database.read(
      [normalized = std::move(normalized), now = clock.now()](storage::Transaction& transaction) {
        return domain::find_account_by_email(transaction, normalized).has_value() ||
               domain::is_email_reserved(transaction, normalized, {}, now);
      });
}

bool Registration::make_account(storage::Transaction& transaction, const domain::NewAccount& account,
                                const Asker& asker) const {
  if (!domain::insert_account(transaction, account)) return false;
  auto event = about("user_created", asker.client, account.id);
  event.email = account.email.as_typed;
  events.record(transaction, std::move(event));
  if (verification != Verification::off) {
    const domain::Account made{.id = account.id,
                               .email = account.email.as_typed,
                               .full_name = account.full_name,
                               .password_hash = std::nullopt,
                               .created_at = account.created_at,
                               .last_login_at = std::nullopt};
    mails.send_verification(transaction, made, asker);
  }
  return true;
}

void Registration::carry_out(storage::Transaction& transaction,
                             const domain::DeferredRequest& request) const {
  const auto email = text::parse_email(request.email);
  if (!email || !request.account_id || !request.password_hash) return;
  const auto asker = to_asker(request);
  const domain::NewAccount account{.id = *request.account_id,
                                   .email = *email,
                                   .full_name = request.full_name,
                                   .password_hash = request.password_hash,
                                   .created_at = clock.now()};
  if (make_account(transaction, account, asker)) return;
  const auto owner = domain::find_account_by_email(transaction, email->normalized);
  if (!owner || owner->disabled || !mails.send_already_registered(transaction, *owner, asker)) return;
  if (owner->email_verified) return;
  // Whoever registered it first may have been somebody else, who hopes that it is confirmed for them: their
  // link is dead and their password worth nothing. The way on is to choose one by a mail to this address.
  domain::revoke_tokens(transaction, owner->id, domain::TokenPurpose::verify_email);
  domain::clear_password_hash(transaction, owner->id, clock.now());
}

}  // namespace keyward::features
