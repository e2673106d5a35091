// Asking: what the calls have in common that end in a mail with a link and a code: the transaction that is
// told to the caller, and what of the call is kept for the work after the answer.
#pragma once

#include <boost/describe/class.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "domain/deferred/deferred_requests.hpp"
#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "features/account_mails.hpp"
#include "features/limited.hpp"
#include "features/requested_locale.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

/// An answer that says a sentence.
struct Message {
  std::string message;
};
BOOST_DESCRIBE_STRUCT(Message, (), (message))

inline constexpr std::string_view transaction_header = "Keyward-Transaction";

struct BegunTransaction {
  std::string text;  // for the caller
  Bytes hash;        // what is stored
};

/// Draws a transaction and puts it on the answer: whoever asks gets one, whether or not there will be a mail.
inline BegunTransaction begin_transaction(domain::OneTimeTokens& tokens, const web::AnswerHeaders& headers) {
  const auto transaction = tokens.make_transaction();
  std::string text{transaction.text()};
  headers.set(transaction_header, text);
  return {std::move(text), domain::hash_one_time(transaction.bytes())};
}

inline domain::DeferredRequest to_deferred(std::string_view kind, const text::EmailAddress& email,
                                           const Asker& asker) {
  return {.kind = std::string{kind},
          .email = email.as_typed,
          .transaction_hash = asker.transaction_hash.value_or(Bytes{}),
          .locale = asker.locale,
          .address = asker.client.address,
          .user_agent = asker.client.user_agent,
          .request_id = asker.client.request_id};
}

inline Asker to_asker(const domain::DeferredRequest& request) {
  return {.client = {request.address, request.user_agent, request.request_id},
          .locale = request.locale,
          .transaction_hash = request.transaction_hash};
}

struct AskingLater {
  storage::Database& database;
  domain::OneTimeTokens& tokens;
  domain::DeferredRequests& deferred;
  AddressLimits& limits;
  const Clock& clock;
};

/// Of a stranger, about an address: the whole of what is done before the answer. Returns the transaction.
/// Errors: too_many_requests, invalid_input for what is no address.
Task<Result<std::string>> ask_later(AskingLater uses, std::string_view kind, std::string email,
                                    web::Client client, RequestedLocale locale, web::AnswerHeaders headers);

}  // namespace keyward::features
