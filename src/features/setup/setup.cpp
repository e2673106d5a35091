#include "features/setup/setup.hpp"

#include "domain/accounts/accounts.hpp"
#include "domain/roles/permissions.hpp"
#include "domain/setup/setup_token.hpp"

namespace keyward::features {

namespace {

std::unexpected<Error> refuse_token(domain::EventLog& events, const web::Client& client) {
  events.emit(about("authz_fail", client, std::nullopt, "setup_token"));
  return fail(ErrorCode::forbidden, "The setup token is not valid");
}

/// Nothing is left to take: the file goes when the admin is there to stay.
void remove_file(const std::filesystem::path& file) {
  std::error_code ignored;  // whoever removed it before us did our work; the token in it is dead anyway
  std::filesystem::remove(file, ignored);
}

}  // namespace

Task<Result<web::Created<SetUp>>> Setup::make_first_admin(web::Public, web::Body<SetupForm> form,
                                                          web::Client client, web::AnswerHeaders headers) {
  if (auto admitted = co_await limits.admit(domain::LimitClass::setup_address, client, headers); !admitted) {
    co_return fail_from(admitted);
  }
  const auto token = domain::hash_setup_token(form->token.bytes());
  const bool live = co_await database.read(
      [token](storage::Transaction& transaction) { return domain::is_setup_token_live(transaction, token); });
  if (!live) co_return refuse_token(events, client);

  auto email = text::parse_email(form->email);
  if (!email) co_return fail_field("email", std::move(email).error().message);
  auto password = domain::prepare_password(std::move(form->password));
  if (!password) co_return fail_from(password);
  auto hash = co_await hasher.hash_new(std::move(*password), policy,
                                       {.email = email->as_typed, .full_name = form->full_name.value_or("")});
  if (!hash) co_return fail_from(hash);

  const auto now = clock.now();
  const domain::NewAccount account{.id = Uuid::make_v7(now, random),
                                   .email = std::move(*email),
                                   .full_name = std::move(form->full_name),
                                   .password_hash = std::move(*hash),
                                   .email_verified = true,  // on the word of whoever holds the token
                                   .roles = {std::string{domain::role_user}, std::string{domain::role_admin}},
                                   .created_at = now};
  const auto made = co_await database.write([&](storage::Transaction& transaction) -> Result<bool> {
    if (!domain::consume_setup_token(transaction, token, now)) return false;
    // An error takes the use of the token back as well.
    if (!domain::insert_account(transaction, account))
      return fail(ErrorCode::bad_request, "Email already registered");
    auto event = about("user_created", client, account.id, "setup");
    event.email = account.email.as_typed;
    event.detail = "roles user admin";
    events.record(transaction, event);
    event.name = "authz_admin";
    event.reason = "first_admin";
    events.record(transaction, std::move(event));
    transaction.after_commit([file = token_file] { remove_file(file); });
    return true;
  });
  if (!made) co_return std::unexpected(made.error());
  if (!*made) co_return refuse_token(events, client);
  co_return web::Created<SetUp>{{"Admin registered", account.email.as_typed, account.id}};
}

}  // namespace keyward::features
