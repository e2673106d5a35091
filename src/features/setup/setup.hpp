// Setup: the first admin of an empty installation.
//
// POST /setup {token, email, password, full_name?} -> 201 {message, email, id}
//   403 the token is wrong, was used, or an admin exists: one answer for all three · 400 `Email already
//   registered` · 422 with every bad field · 503 busy
//
// The server makes the token at its first start, prints it once and writes it to `setup-token` in the data
// folder. Threats: a stranger who is faster than the owner (256 random bits that only the owner can read) ·
// two at once (one conditional update: one wins, R2) · a way in that stays open (dead after use, and as soon
// as there is an admin by any way; the file is removed) · hashing passwords for strangers (the token is
// looked at first).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/random.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/passwords/password_hasher.hpp"
#include "domain/passwords/password_policy.hpp"
#include "features/events.hpp"
#include "features/limited.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct SetupForm {
  Secret token;
  std::string email;
  Secret password;
  std::optional<std::string> full_name;

  static constexpr auto checks() {
    return web::fields(
        web::field(&SetupForm::token, web::WriteOnly{}, web::MaxCodePoints{limits::setup_token_max_bytes},
                   web::Description{"The token that the server printed at its first start"}),
        web::field(&SetupForm::email, web::Email{}, web::Example{"ada@example.com"}),
        web::field(
            &SetupForm::password, web::WriteOnly{}, web::MinCodePoints{limits::password_min_code_points},
            web::Description{"8 or more characters, hard to guess"}, web::Example{"violet orbit candle 94"}),
        web::field(&SetupForm::full_name, web::MaxCodePoints{limits::full_name_max_code_points},
                   web::NoControlCharacters{}, web::Example{"Ada Lovelace"}));
  }
};
BOOST_DESCRIBE_STRUCT(SetupForm, (), (token, email, password, full_name))

struct SetUp {
  std::string message;
  std::string email;
  Uuid id;
};
BOOST_DESCRIBE_STRUCT(SetUp, (), (message, email, id))

struct Setup {
  storage::Database& database;
  domain::PasswordHasher& hasher;
  const domain::PasswordPolicy& policy;
  AddressLimits& limits;
  domain::EventLog& events;
  const Clock& clock;
  Random& random;
  std::filesystem::path token_file;

  Task<Result<web::Created<SetUp>>> make_first_admin(web::Public, web::Body<SetupForm> form,
                                                     web::Client client, web::AnswerHeaders headers);
};

}  // namespace keyward::features
