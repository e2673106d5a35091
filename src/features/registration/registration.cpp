#include "features/registration/registration.hpp"

#include "domain/accounts/accounts.hpp"

namespace keyward::features {

namespace {

std::unexpected<Error> taken() { return fail(ErrorCode::bad_request, "Email already registered"); }

}  // namespace

Task<Result<web::Created<Registered>>> Registration::register_account(
    web::Public, web::Body<RegistrationForm, web::Unknown::ignored> form, web::Client client,
    web::AnswerHeaders headers) {
  if (auto admitted = co_await limits.admit(domain::LimitClass::register_address, client, headers);
      !admitted) {
    co_return fail_from(admitted);
  }
  auto email = text::parse_email(form->email);
  if (!email) co_return fail_field("email", std::move(email).error().message);

  auto password = domain::prepare_password(std::move(form->password));
  if (!password) co_return fail_from(password);

  // What costs little and refuses often comes before the hash.
  const bool exists =
      co_await database.read([normalized = email->normalized](storage::Transaction& transaction) {
        return domain::find_account_by_email(transaction, normalized).has_value();
      });
  if (exists) co_return taken();
  auto hash = co_await hasher.hash_new(std::move(*password), policy,
                                       {.email = email->as_typed, .full_name = form->full_name.value_or("")});
  if (!hash) co_return fail_from(hash);

  const domain::NewAccount account{.id = Uuid::make_v7(clock.now(), random),
                                   .email = std::move(*email),
                                   .full_name = std::move(form->full_name),
                                   .password_hash = std::move(*hash),
                                   .created_at = clock.now()};
  const bool inserted = co_await database.write([&](storage::Transaction& transaction) {
    if (!domain::insert_account(transaction, account)) return false;
    auto event = about("user_created", client, account.id);
    event.email = account.email.as_typed;
    events.record(transaction, std::move(event));
    return true;
  });
  if (!inserted) co_return taken();

  co_return web::Created<Registered>{{"User registered", account.email.as_typed, account.id}};
}

}  // namespace keyward::features
