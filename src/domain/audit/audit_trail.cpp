#include "domain/audit/audit_trail.hpp"

#include "base/limits.hpp"
#include "crypto/digest.hpp"
#include "text/email.hpp"
#include "text/unicode.hpp"

namespace keyward::domain {

namespace {

struct AuditNote final : storage::Note {
  explicit AuditNote(AuditRow given) : row(std::move(given)) {}
  AuditRow row;
};

void make_storable(std::string& text) { text = text::to_storable_text(text, limits::audit_text_max_bytes); }

}  // namespace

AuditTrail::AuditTrail(const crypto::MasterKey& master_key, EmailInEvents email, Random& random)
    : chain_key_(master_key),
      email_key_(master_key.derive("audit e-mail 1")),
      email_(email),
      first_chain_(random.bytes<1>()[0]) {}

void AuditTrail::attach(storage::Database& database) {
  if (database.writers_take_turns()) first_chain_ = 0;  // one chain for all
  database.finish_with([this](storage::Transaction& transaction, const storage::Notes& notes,
                              std::size_t connection) { finish(transaction, notes, connection); });
}

void AuditTrail::record(storage::Transaction& transaction, const SecurityEvent& event, Time now) const {
  transaction.leave(std::make_unique<AuditNote>(AuditRow{.occurred_at = now,
                                                         .event = std::string{event.name},
                                                         .account_id = event.account_id,
                                                         .actor_id = event.actor_id,
                                                         .session_id = event.session_id,
                                                         .reason = event.reason,
                                                         .detail = event.detail,
                                                         .email = event.email,
                                                         .address = event.address,
                                                         .user_agent = event.user_agent,
                                                         .request_id = event.request_id}));
}

SecurityEvent AuditTrail::shown(SecurityEvent event) const {
  if (email_ == EmailInEvents::off) event.email.clear();
  if (email_ == EmailInEvents::hashed && !event.email.empty()) {
    // Keyed: a list of known addresses does not undo it. Normalised: one person, one word.
    const auto email = text::parse_email(event.email);
    const auto mac =
        crypto::hmac_sha256(email_key_.bytes(), as_bytes(email ? email->normalized : event.email));
    event.email = "hmac:" + to_hex(BytesView{mac}.first(16));
  }
  for (auto* text :
       {&event.reason, &event.detail, &event.email, &event.address, &event.user_agent, &event.request_id})
    make_storable(*text);
  return event;
}

void AuditTrail::finish(storage::Transaction& transaction, const storage::Notes& notes,
                        std::size_t connection) const {
  std::vector<AuditRow> rows;
  rows.reserve(notes.size());
  // Audit is the only one that leaves notes. NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast)
  for (const auto& note : notes) rows.push_back(static_cast<const AuditNote&>(*note).row);
  append_to_chain(transaction,
                  static_cast<std::int64_t>((first_chain_ + connection) % limits::audit_chains_max), rows,
                  chain_key_);
}

}  // namespace keyward::domain
