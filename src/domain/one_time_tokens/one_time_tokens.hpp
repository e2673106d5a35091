// OneTimeTokens: what a mail carries, so that whoever brings it back is known to read that mailbox.
//
// `kw_rp_` (or `kw_ve_`, `kw_ce_`, `kw_uc_`) + base64url(256 random bits); only its SHA-256 is stored. Beside
// the token a mail may carry a code of eight characters for people who read it on another device: it counts
// only together with the transaction of the call that asked for it (`kw_tx_`, 256 random bits, told to that
// caller alone), for ten minutes and five tries (R9). Every such call begins a transaction, whether or not a
// mail comes of it, so that a try with it is the same work for everybody (A6).
//
// Threats: a stolen database holds nothing usable (R1: hashes; of the code, which is short, a MAC under a
// sub-key of the master key) · a token of one purpose at another's door (the purpose is in every condition) ·
// N parallel uses (one conditional DELETE: one wins, R2) · an old mail that still works (a newer token takes
// the older one's place, a changed password or address kills all, R3) · guessing the code (a try is counted
// before it is compared, in one conditional UPDATE) · guessing it for somebody else's request (the
// transaction is not in the mail).
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "base/uuid.hpp"
#include "crypto/master_key.hpp"
#include "storage/transaction.hpp"
#include "text/email.hpp"

namespace keyward::domain {

enum class TokenPurpose : std::uint8_t { verify_email, reset_password, change_email, undo_email_change };
/// The column's word.
std::string_view to_string(TokenPurpose purpose);

/// A live row of `one_time_tokens`.
struct OneTimeToken {
  Uuid id;
  Uuid account_id;
  std::string email;  // that it is about: the account's own, the new one, or the one to go back to
  std::string email_normalized;
  Time created_at;
  std::optional<Uuid> session_id;  // that asked for a change
  [[nodiscard]] text::EmailAddress address() const { return {email, email_normalized}; }
};
BOOST_DESCRIBE_STRUCT(OneTimeToken, (), (id, account_id, email, email_normalized, created_at, session_id))

struct NewOneTimeToken {
  Uuid account_id;
  TokenPurpose purpose = TokenPurpose::verify_email;
  text::EmailAddress email;
  std::optional<Bytes> transaction_hash = {};  // none: no code
  std::optional<Uuid> session_id = {};
  bool reserves_email = false;
};

/// What goes into the mail.
struct IssuedToken {
  std::string token;
  std::string code;  // "K7PM-2QXD"; empty: none
  Time expires_at;
};

/// What somebody brings: the token of the link, or the code with the transaction that it was asked in.
struct Proof {
  Secret token;
  Secret transaction;
  Secret code;
  [[nodiscard]] bool is_code() const { return token.empty(); }
};

struct Presented {
  std::optional<OneTimeToken> token;  // the live one that it proves
  std::optional<Uuid> account_id;     // whose code it was not
  bool was_last_try = false;
};

class OneTimeTokens {
 public:
  OneTimeTokens(const crypto::MasterKey& master_key, Random& random);

  /// Takes the place of an older one of the same account and purpose; those for undoing stand beside each
  /// other, each one later than all before it, whatever the clocks say.
  IssuedToken issue(storage::Transaction& transaction, const NewOneTimeToken& wanted, Time now);

  /// Looks at a proof and uses nothing up but a try, when it is a code and the wrong one: so the transaction
  /// is to be committed whatever comes of it.
  Presented present(storage::Transaction& transaction, TokenPurpose purpose, const Proof& proof, Time now);

  /// `kw_tx_…`, for the answer to whoever asks.
  [[nodiscard]] Secret make_transaction();

 private:
  [[nodiscard]] Bytes code_mac(const Uuid& id, std::string_view code) const;
  Presented present_code(storage::Transaction& transaction, TokenPurpose purpose, const Proof& proof,
                         Time now) const;
  [[nodiscard]] bool is_code_of(const Uuid& id, const Bytes& code_hash, std::string_view code) const;
  std::string make_code();

  Secret key_;
  Random& random_;
};

/// What is stored of a token or a transaction.
Bytes hash_one_time(BytesView text);
/// Whether it can be one at all: what cannot costs no look at the database.
bool has_form_of(const Proof& proof, TokenPurpose purpose);

/// In the write that answers the call, for everybody.
void begin_code_transaction(storage::Transaction& transaction, const Bytes& transaction_hash, Time now);

/// Uses the token up: true for exactly one of N calls.
[[nodiscard]] bool consume_token(storage::Transaction& transaction, const Uuid& id, TokenPurpose purpose,
                                 Time now);
/// After a change of password or address: what was mailed before is dead, but for undoing.
void revoke_tokens(storage::Transaction& transaction, const Uuid& account_id);
void revoke_tokens(storage::Transaction& transaction, const Uuid& account_id, TokenPurpose purpose);
/// Going back to a state also ends the ways back to later ones.
void revoke_undo_tokens_since(storage::Transaction& transaction, const Uuid& account_id, Time since);
/// The time to undo counts from the change.
void prolong_undo_tokens(storage::Transaction& transaction, const Uuid& account_id,
                         std::string_view email_normalized, Time now);
/// An address that another account can still go back to is nobody else's meanwhile.
bool is_email_reserved(storage::Transaction& transaction, std::string_view email_normalized,
                       const Uuid& account_id, Time now);
/// The account's address can be gone back from.
bool has_undo_token(storage::Transaction& transaction, const Uuid& account_id, Time now);

bool has_expired_tokens(storage::Transaction& transaction, Time now);
/// Forgets what has expired; returns how many rows.
std::int64_t sweep_tokens(storage::Transaction& transaction, Time now);

}  // namespace keyward::domain
