// AuditTrail: puts security events into the audit tables, in the transaction of the change that they tell of.
//
// A write closure calls record(); the rows of all the closures that share a commit are chained together at
// its end, where the chain is taken once. If a row cannot be written (the disk is full), the change is undone
// as well and its caller gets 503: nothing is done unlogged (L3). Threats: audit_chain.hpp.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "domain/audit/audit_chain.hpp"
#include "domain/audit/security_event.hpp"
#include "storage/database.hpp"

namespace keyward::domain {

class AuditTrail {
 public:
  AuditTrail(const crypto::MasterKey& master_key, EmailInEvents email, Random& random);
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;
  ~AuditTrail() = default;

  /// Becomes the database's Finisher; outlives it.
  void attach(storage::Database& database);

  /// In a write closure: the row comes and goes with the transaction. `event` is one that shown() gave.
  void record(storage::Transaction& transaction, const SecurityEvent& event, Time now) const;

  /// The event as it may be shown: the address of mail as configured, texts cut and storable.
  [[nodiscard]] SecurityEvent shown(SecurityEvent event) const;

 private:
  void finish(storage::Transaction& transaction, const storage::Notes& notes, std::size_t connection) const;

  ChainKey chain_key_;
  Secret email_key_;
  EmailInEvents email_;
  std::size_t first_chain_;  // nodes begin at different ones
};

}  // namespace keyward::domain
