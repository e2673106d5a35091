// Exchange: an application gets the tokens of a person who logged in at a provider.
//
// POST /auth/exchange {code, code_verifier} -> 200 as login · 400 · 422 · 429
//
// RFC 6749 §4.1.3, RFC 7636 §4.6. The code stood in the URL that the browser came back with; the verifier is
// known to the application alone that began the login. Threats: a code that somebody else saw (no verifier:
// the code is used up and worth nothing) · 64 exchanges of one code (one conditional statement: one session)
// · a code that is used again (RFC 6749 §4.1.2: the session that came of it ends, and its owner is told).
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "domain/identities/handover_codes.hpp"
#include "features/events.hpp"
#include "features/limited.hpp"
#include "features/new_sessions.hpp"
#include "features/requested_locale.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct ExchangeForm {
  Secret code;
  Secret code_verifier;

  static constexpr auto checks() {
    return web::fields(
        web::field(&ExchangeForm::code, web::WriteOnly{}, web::Description{"Of the URL that came back"}),
        web::field(&ExchangeForm::code_verifier, web::WriteOnly{},
                   web::Description{"Whose SHA-256 was the code_challenge (RFC 7636)"}));
  }
};
BOOST_DESCRIBE_STRUCT(ExchangeForm, (), (code, code_verifier))

struct Exchange {
  storage::Database& database;
  NewSessions& sessions;
  AddressLimits& limits;
  const AccountMails& mails;
  domain::Revisions& revisions;
  domain::EventLog& events;
  const Clock& clock;

  Task<Result<TokenAnswer>> exchange(web::Public, web::Body<ExchangeForm, web::Unknown::ignored> form,
                                     web::Client client, RequestedLocale locale, web::AnswerHeaders headers);

 private:
  /// A session, or the reason why there is none. Either way the code is used up: this is no error, which
  /// would undo that.
  struct Exchanged {
    std::optional<NewSession> session = {};
    std::string_view refusal = {};
    std::optional<Uuid> account_id = {};  // of a code that was one
    std::string provider = {};
  };
  Exchanged take(storage::Transaction& transaction, const ExchangeForm& form, const Asker& asker) const;
  void end_reused(storage::Transaction& transaction, std::string_view code, const Asker& asker) const;
};

/// The answer to every code that does not count.
std::unexpected<Error> refuse_code(std::string_view why);

}  // namespace keyward::features
