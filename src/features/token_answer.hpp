// TokenAnswer: what a client gets with a session: at login, and at each refresh.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <string>

#include "base/uuid.hpp"

namespace keyward::features {

/// RFC 6749 §5.1, and the account's id.
struct TokenAnswer {
  std::string access_token;
  std::string refresh_token;
  std::string token_type;
  std::int64_t expires_in = 0;  // seconds
  Uuid user_id;
};
BOOST_DESCRIBE_STRUCT(TokenAnswer, (), (access_token, refresh_token, token_type, expires_in, user_id))

}  // namespace keyward::features
