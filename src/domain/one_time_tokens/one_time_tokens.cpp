#include "domain/one_time_tokens/one_time_tokens.hpp"

#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "crypto/digest.hpp"
#include "text/base64url.hpp"

#define KEYWARD_TOKEN_COLUMNS "id, account_id, email, email_normalized, created_at, session_id"

namespace keyward::domain {

namespace {

constexpr std::size_t random_bytes = 32;
constexpr std::string_view transaction_prefix = "kw_tx_";
// Crockford's base 32: 32 characters, so that a random byte has no favourites, and none looks like another.
constexpr std::string_view code_alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static_assert(code_alphabet.size() == 32);

std::string_view prefix_of(TokenPurpose purpose) {
  switch (purpose) {
    case TokenPurpose::verify_email:
      return "kw_ve_";
    case TokenPurpose::reset_password:
      return "kw_rp_";
    case TokenPurpose::change_email:
      return "kw_ce_";
    case TokenPurpose::undo_email_change:
      return "kw_uc_";
  }
  return {};
}

seconds lifetime_of(TokenPurpose purpose) {
  switch (purpose) {
    case TokenPurpose::reset_password:
      return limits::reset_token_lifetime;
    case TokenPurpose::undo_email_change:
      return limits::undo_token_lifetime;
    case TokenPurpose::verify_email:
    case TokenPurpose::change_email:
      break;
  }
  return limits::verify_token_lifetime;
}

Secret make_text(std::string_view prefix, Random& random) {
  auto raw = Secret::of_size(random_bytes);
  random.fill(raw.mutable_bytes());
  auto text = std::string{prefix} + text::to_base64url(raw.bytes());
  return Secret::take(text);
}

/// From what people type: without case, dashes and spaces; O is read as 0, I and L as 1.
std::string to_compared(std::string_view code) {
  std::string compared;
  for (const char c : code.substr(0, limits::one_time_code_max_bytes)) {
    if (c == '-' || c == ' ') continue;
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    compared += upper == 'O' ? '0' : upper == 'I' || upper == 'L' ? '1' : upper;
  }
  return compared;
}

/// Text of ours: the prefix and base64url of `random_bytes`.
bool has_form(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  const auto bytes = text::parse_base64url(text.substr(prefix.size()));
  return bytes && bytes->size() == random_bytes;
}

struct CodeHash {
  Uuid id;
  Bytes code_hash;
};
BOOST_DESCRIBE_STRUCT(CodeHash, (), (id, code_hash))

std::optional<Time> find_newest_undo(storage::Transaction& transaction, const Uuid& account_id) {
  return transaction.find<Time>(
      "SELECT created_at FROM one_time_tokens WHERE account_id = $1 AND purpose = 'undo_email_change' "
      "ORDER BY created_at DESC LIMIT 1",
      account_id);
}

}  // namespace

std::string_view to_string(TokenPurpose purpose) {
  switch (purpose) {
    case TokenPurpose::verify_email:
      return "verify_email";
    case TokenPurpose::reset_password:
      return "reset_password";
    case TokenPurpose::change_email:
      return "change_email";
    case TokenPurpose::undo_email_change:
      return "undo_email_change";
  }
  return {};
}

Bytes hash_one_time(BytesView text) {
  const auto hash = crypto::sha256(text);
  return {hash.begin(), hash.end()};
}

OneTimeTokens::OneTimeTokens(const crypto::MasterKey& master_key, Random& random)
    : key_(master_key.derive("one-time codes 1")), random_(random) {}

Secret OneTimeTokens::make_transaction() { return make_text(transaction_prefix, random_); }

std::string OneTimeTokens::make_code() {
  std::string code;
  for (const auto byte : random_.bytes<limits::one_time_code_characters>())
    code += code_alphabet.at(byte % code_alphabet.size());
  return code;
}

Bytes OneTimeTokens::code_mac(const Uuid& id, std::string_view code) const {
  Bytes message{id.bytes.begin(), id.bytes.end()};
  message.insert(message.end(), code.begin(), code.end());
  const auto mac = crypto::hmac_sha256(key_.bytes(), message);
  return {mac.begin(), mac.end()};
}

IssuedToken OneTimeTokens::issue(storage::Transaction& transaction, const NewOneTimeToken& wanted, Time now) {
  const auto id = Uuid::make_v7(now, random_);
  const auto token = make_text(prefix_of(wanted.purpose), random_);
  const auto expires_at = now + lifetime_of(wanted.purpose);
  auto code = wanted.transaction_hash ? make_code() : std::string{};
  Time created_at = now;
  if (wanted.purpose == TokenPurpose::undo_email_change) {
    // Which change came first must not hang on a clock: of two nodes, or one that was set back.
    const auto newest = find_newest_undo(transaction, wanted.account_id);
    if (newest) created_at = std::max(now, *newest + microseconds{1});
  } else {
    revoke_tokens(transaction, wanted.account_id, wanted.purpose);
  }
  transaction.execute(
      "INSERT INTO one_time_tokens (id, account_id, purpose, email, email_normalized, token_hash, "
      "transaction_hash, code_hash, reserves_email, session_id, created_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
      id, wanted.account_id, to_string(wanted.purpose), wanted.email.as_typed, wanted.email.normalized,
      hash_one_time(token.bytes()), wanted.transaction_hash,
      code.empty() ? std::optional<Bytes>{} : code_mac(id, code), wanted.reserves_email, wanted.session_id,
      created_at, expires_at);
  if (!code.empty()) code.insert(code.size() / 2, "-");
  return {std::string{token.text()}, std::move(code), expires_at};
}

Presented OneTimeTokens::present(storage::Transaction& transaction, TokenPurpose purpose, const Proof& proof,
                                 Time now) {
  if (proof.is_code()) return present_code(transaction, purpose, proof, now);
  return {
      .token = transaction.find<OneTimeToken>("SELECT " KEYWARD_TOKEN_COLUMNS " FROM one_time_tokens "
                                              "WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3",
                                              hash_one_time(proof.token.bytes()), to_string(purpose), now),
      .account_id = std::nullopt};
}

bool OneTimeTokens::is_code_of(const Uuid& id, const Bytes& code_hash, std::string_view code) const {
  return crypto::constant_time_equal(BytesView{code_mac(id, code)}, BytesView{code_hash});
}

Presented OneTimeTokens::present_code(storage::Transaction& transaction, TokenPurpose purpose,
                                      const Proof& proof, Time now) const {
  const auto hash = hash_one_time(proof.transaction.bytes());
  const auto tries = transaction.find<std::int64_t>(
      "UPDATE code_transactions SET tries = tries + 1 WHERE transaction_hash = $1 AND tries < $2 AND "
      "expires_at > $3 RETURNING tries",
      hash, limits::one_time_code_tries_max, now);
  if (!tries) return {};
  const auto asked = transaction.find<CodeHash>(
      "SELECT id, code_hash FROM one_time_tokens WHERE transaction_hash = $1 AND purpose = $2 AND "
      "expires_at > $3 AND code_hash IS NOT NULL",
      hash, to_string(purpose), now);
  // Where no mail was sent the work is the same, with a code that nobody has.
  const auto nobodys = CodeHash{.id = {}, .code_hash = Bytes(sizeof(crypto::Sha256))};
  const auto& compared = asked ? *asked : nobodys;
  const bool is_right = is_code_of(compared.id, compared.code_hash, to_compared(proof.code.text())) && asked;
  auto token = transaction.find<OneTimeToken>(
      "SELECT " KEYWARD_TOKEN_COLUMNS " FROM one_time_tokens WHERE id = $1", compared.id);
  if (!is_right) {
    return {.token = std::nullopt,
            .account_id = token ? std::optional{token->account_id} : std::nullopt,
            .was_last_try = *tries == limits::one_time_code_tries_max};
  }
  // The right one is no try: who chose a weak password beside it may choose again.
  transaction.execute("UPDATE code_transactions SET tries = tries - 1 WHERE transaction_hash = $1", hash);
  return {.token = std::move(token), .account_id = std::nullopt};
}

bool has_form_of(const Proof& proof, TokenPurpose purpose) {
  if (!proof.is_code()) return has_form(proof.token.text(), prefix_of(purpose));
  return has_form(proof.transaction.text(), transaction_prefix) &&
         to_compared(proof.code.text()).size() == limits::one_time_code_characters;
}

void begin_code_transaction(storage::Transaction& transaction, const Bytes& transaction_hash, Time now) {
  transaction.execute(
      "INSERT INTO code_transactions (transaction_hash, tries, expires_at) VALUES ($1, 0, $2)",
      transaction_hash, now + limits::one_time_code_lifetime);
}

bool consume_token(storage::Transaction& transaction, const Uuid& id, TokenPurpose purpose, Time now) {
  // The account's row before those of its tokens, as whoever changes an account takes them: in the other
  // order two that meet wait for each other, until PostgreSQL notices a second later.
  transaction.execute(
      "UPDATE accounts SET updated_at = updated_at WHERE id = (SELECT account_id FROM one_time_tokens "
      "WHERE id = $1)",
      id);
  return transaction.execute("DELETE FROM one_time_tokens WHERE id = $1 AND purpose = $2 AND expires_at > $3",
                             id, to_string(purpose), now) == 1;
}

void revoke_tokens(storage::Transaction& transaction, const Uuid& account_id) {
  transaction.execute("DELETE FROM one_time_tokens WHERE account_id = $1 AND purpose <> 'undo_email_change'",
                      account_id);
}

void revoke_tokens(storage::Transaction& transaction, const Uuid& account_id, TokenPurpose purpose) {
  transaction.execute("DELETE FROM one_time_tokens WHERE account_id = $1 AND purpose = $2", account_id,
                      to_string(purpose));
}

void revoke_undo_tokens_since(storage::Transaction& transaction, const Uuid& account_id, Time since) {
  transaction.execute(
      "DELETE FROM one_time_tokens WHERE account_id = $1 AND purpose = 'undo_email_change' AND created_at >= "
      "$2",
      account_id, since);
}

void prolong_undo_tokens(storage::Transaction& transaction, const Uuid& account_id,
                         std::string_view email_normalized, Time now) {
  transaction.execute(
      "UPDATE one_time_tokens SET expires_at = $3 WHERE account_id = $1 AND purpose = 'undo_email_change' "
      "AND "
      "email_normalized = $2 AND expires_at > $4",
      account_id, email_normalized, now + limits::undo_token_lifetime, now);
}

bool is_email_reserved(storage::Transaction& transaction, std::string_view email_normalized,
                       const Uuid& account_id, Time now) {
  return transaction
      .find<Uuid>(
          "SELECT id FROM one_time_tokens WHERE email_normalized = $1 AND purpose = 'undo_email_change' AND "
          "reserves_email AND account_id <> $2 AND expires_at > $3 LIMIT 1",
          email_normalized, account_id, now)
      .has_value();
}

bool has_undo_token(storage::Transaction& transaction, const Uuid& account_id, Time now) {
  return transaction
      .find<Uuid>(
          "SELECT id FROM one_time_tokens WHERE account_id = $1 AND purpose = 'undo_email_change' AND "
          "expires_at > $2 LIMIT 1",
          account_id, now)
      .has_value();
}

bool has_expired_tokens(storage::Transaction& transaction, Time now) {
  return transaction
      .find<Time>(
          "SELECT expires_at FROM one_time_tokens WHERE expires_at < $1 UNION ALL "
          "SELECT expires_at FROM code_transactions WHERE expires_at < $1 LIMIT 1",
          now)
      .has_value();
}

std::int64_t sweep_tokens(storage::Transaction& transaction, Time now) {
  transaction.execute(
      "DELETE FROM code_transactions WHERE transaction_hash IN (SELECT transaction_hash FROM "
      "code_transactions WHERE expires_at < $1 LIMIT $2)",
      now, limits::session_sweep_max);
  return transaction.execute(
      "DELETE FROM one_time_tokens WHERE id IN (SELECT id FROM one_time_tokens WHERE expires_at < $1 LIMIT "
      "$2)",
      now, limits::session_sweep_max);
}

}  // namespace keyward::domain
