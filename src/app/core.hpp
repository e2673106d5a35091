// Core: what the server and every command that touches the data share, opened in order.
#pragma once

#include <memory>

#include "app/config/config.hpp"
#include "app/machine.hpp"
#include "crypto/master_key.hpp"
#include "domain/audit/audit_checkpoints.hpp"
#include "domain/audit/audit_trail.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/keys/key_ring.hpp"
#include "domain/leases/leases.hpp"
#include "domain/limits/limits.hpp"
#include "domain/passwords/password_hasher.hpp"
#include "domain/passwords/password_policy.hpp"
#include "domain/revisions/revisions.hpp"
#include "domain/sessions/sessions.hpp"
#include "domain/tokens/token_issuer.hpp"
#include "mail/outbox.hpp"
#include "storage/database.hpp"

namespace keyward::app {

/// What the settings say, in the words of the domain.
domain::KeySettings to_key_settings(const Config& config);
domain::TokenSettings to_token_settings(const Config& config);
domain::SessionSettings to_session_settings(const Config& config);
domain::PasswordPolicy to_password_policy(const Config& config);
domain::PasswordHasherOptions to_hasher_options(const Config& config);
domain::LimitSettings to_limit_settings(const Config& config);
storage::DatabaseOptions to_database_options(const Config& config);
storage::DatabaseOptions to_database_options(const StorageUrl& url);

domain::EmailInEvents to_email_in_events(const Config& config);

class Core {
 public:
  /// Makes the data folder, opens the database (which need not lie in it), migrates it, opens the keys.
  /// Security events are rows of the audit trail, and lines of `event_output`. The error is one sentence for
  /// the operator.
  static Result<std::unique_ptr<Core>> open(const Config& config,
                                            int event_output = domain::EventLog::no_output,
                                            const Machine& machine = Machine::real());

  explicit Core(const Machine& machine) : clock(machine.clock), random(machine.random) {}
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() { close_database(); }

  /// Stores the events that wait and joins the database's threads. Before the loops that they resume on go.
  void close_database();

  const Clock& clock;
  Random& random;
  domain::Leases leases{clock, random};  // of work in the background
  bool first_start = false;              // the database had no tables until now
  // Work that the database has taken uses these until it is closed.
  std::unique_ptr<domain::AuditTrail> audit;
  std::unique_ptr<domain::EventLog> events;
  std::unique_ptr<mail::Outbox> outbox;
  std::unique_ptr<storage::Database> database;
  std::unique_ptr<domain::Revisions> revisions;
  std::unique_ptr<crypto::MasterKey> master_key;
  std::unique_ptr<domain::CheckpointKey> checkpoint_key;
  std::unique_ptr<domain::KeyRing> keys;
};

}  // namespace keyward::app
