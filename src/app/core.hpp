// Core: what the server and every command that touches the data share, opened in order.
#pragma once

#include <memory>

#include "app/config/config.hpp"
#include "base/clock.hpp"
#include "crypto/master_key.hpp"
#include "crypto/system_random.hpp"
#include "domain/keys/key_ring.hpp"
#include "domain/passwords/password_hasher.hpp"
#include "domain/passwords/password_policy.hpp"
#include "domain/revisions/revisions.hpp"
#include "domain/sessions/sessions.hpp"
#include "domain/tokens/token_issuer.hpp"
#include "storage/database.hpp"

namespace keyward::app {

/// What the settings say, in the words of the domain.
domain::KeySettings to_key_settings(const Config& config);
domain::TokenSettings to_token_settings(const Config& config);
domain::SessionSettings to_session_settings(const Config& config);
domain::PasswordPolicy to_password_policy(const Config& config);
domain::PasswordHasherOptions to_hasher_options(const Config& config);
std::filesystem::path database_path(const Config& config);

class Core {
 public:
  /// Makes the data folder, opens the database, migrates it, opens the keys. The error is one sentence for
  /// the operator.
  static Result<std::unique_ptr<Core>> open(const Config& config);

  SystemClock clock;
  crypto::SystemRandom random;
  bool first_start = false;  // the database was made just now
  std::unique_ptr<storage::Database> database;
  std::unique_ptr<domain::Revisions> revisions;
  std::unique_ptr<crypto::MasterKey> master_key;
  std::unique_ptr<domain::KeyRing> keys;
};

}  // namespace keyward::app
