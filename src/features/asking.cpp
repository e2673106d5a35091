#include "features/asking.hpp"

namespace keyward::features {

Task<Result<std::string>> ask_later(AskingLater uses, std::string_view kind, std::string email,
                                    web::Client client, RequestedLocale locale, web::AnswerHeaders headers) {
  if (auto admitted = co_await uses.limits.admit(domain::LimitClass::forgot_address, client, headers);
      !admitted) {
    co_return fail_from(admitted);
  }
  const auto address = text::parse_email(email);
  if (!address) co_return fail_field("email", address.error().message);
  auto begun = begin_transaction(uses.tokens, headers);
  const auto now = uses.clock.now();
  const Asker asker{std::move(client), std::move(locale.tag), std::move(begun.hash)};
  co_await uses.database.write([&](storage::Transaction& transaction) {
    domain::begin_code_transaction(transaction, *asker.transaction_hash, now);
    uses.deferred.add(transaction, to_deferred(kind, *address, asker));
  });
  co_return std::move(begun.text);
}

}  // namespace keyward::features
