#include "domain/keys/key_ring.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "base/log.hpp"
#include "crypto/aead.hpp"
#include "crypto/digest.hpp"
#include "protocol/jose/jwk.hpp"
#include "storage/errors.hpp"
#include "text/base64url.hpp"

namespace keyward::domain {

namespace jose = protocol::jose;

namespace {

/// How long a key is published before it signs: whoever fetched the set just before has to ask again in half
/// of that.
constexpr std::chrono::seconds publication_lead = 2 * limits::jwks_max_age;

std::string make_etag(std::string_view text) {
  const auto digest = crypto::sha256(as_bytes(text));
  return '"' + text::to_base64url(BytesView{digest}.first(12)) + '"';
}

/// From this age on one caller reads the keys anew, while the others still go on with what is known: else all
/// that come at the end of its time would read, and each would decode the private keys.
constexpr microseconds read_ahead_age = microseconds{limits::key_snapshot_max_age} * 3 / 4;

SecurityEvent about_key(std::string_view name, const std::string& id, std::string_view how) {
  return {.name = name, .reason = "signing_key", .detail = std::string{how} + ' ' + id};
}

std::string_view to_word(Rotation rotation) {
  if (rotation == Rotation::planned) return "planned";
  return rotation == Rotation::now ? "now" : "compromised";
}

bool has_same_keys(const KeySnapshot& one, const KeySnapshot& other) {
  return std::ranges::equal(one.rows, other.rows, {}, &SigningKeyRow::id, &SigningKeyRow::id);
}

std::size_t signer_place(const std::vector<SigningKeyRow>& rows, Time now) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (status_of(rows[i], rows, now) == KeyStatus::active) return i;
  }
  return 0;
}

/// What is read, or `known` when the database does not answer.
Task<KeySnapshotPointer> or_known(Task<KeySnapshotPointer> read, KeySnapshotPointer known) {
  try {
    co_return co_await std::move(read);
  } catch (const std::exception& exception) {
    log(LogLevel::warning, "signing_keys_not_read", {{"reason", exception.what()}});
  }
  co_return known;
}

}  // namespace

const jose::SigningKey& KeySnapshot::signer(Time now) const { return keys.at(signer_place(rows, now)); }

microseconds KeySnapshot::signer_age(Time now) const {
  return now - rows.at(signer_place(rows, now)).activates_at;
}

KeyRing::KeyRing(Dependencies dependencies, KeySettings settings)
    : use_(dependencies), settings_(settings), sealing_key_(use_.master_key.derive("signing-keys")) {}

SigningKeyRow KeyRing::make_key(std::chrono::seconds lead) const {
  const jose::SigningKey key{crypto::PrivateKey::generate(settings_.algorithm)};
  const auto now = use_.clock.now();
  return {
      .id = key.kid(),
      .algorithm = std::string{jose::to_name(key.algorithm())},
      .public_jwk = boost::json::serialize(jose::to_public_jwk(key.kid(), key.private_key()->public_key())),
      .private_key_sealed =
          crypto::seal(sealing_key_, key.private_key()->to_pkcs8(), as_bytes(key.kid()), use_.random),
      .created_at = now,
      .activates_at = now + lead};
}

Result<KeySnapshotPointer> KeyRing::load(storage::Transaction& transaction) const {
  auto loaded = std::make_shared<KeySnapshot>();
  loaded->revision = use_.revisions.of_keys();  // before the read: a change after it is seen as one
  const auto now = use_.clock.now();
  loaded->loaded_at = use_.clock.steady();
  const auto all = list_signing_keys(transaction);
  for (const auto& row : all) {
    if (status_of(row, all, now) == KeyStatus::removed) continue;
    const auto algorithm = jose::parse_algorithm(row.algorithm);
    if (!algorithm)
      return fail(ErrorCode::internal,
                  "Signing key " + row.id + " has the unknown algorithm " + row.algorithm);
    const auto opened = crypto::open(sealing_key_, row.private_key_sealed, as_bytes(row.id));
    if (!opened) {
      return fail(ErrorCode::internal, "The master key does not open the stored signing key " + row.id +
                                           ": start with the master key that this data folder was made with");
    }
    auto key = crypto::PrivateKey::from_pkcs8(*algorithm, *opened);
    if (!key) return fail_from(key);
    loaded->keys.emplace_back(row.id, std::move(*key));
    loaded->rows.push_back(row);
    loaded->verification_keys.add(loaded->keys.back().verification_key());
  }
  loaded->key_set_json = jose::to_public_jwk_set(loaded->verification_keys);
  loaded->key_set_etag = make_etag(loaded->key_set_json);
  return loaded;
}

KeySnapshotPointer KeyRing::snapshot() const {
  const Lock lock{mutex_};
  return snapshot_;
}

void KeyRing::publish(KeySnapshotPointer snapshot) {
  const Lock lock{mutex_};
  snapshot_.swap(snapshot);
}

Result<void> KeyRing::blocking_open() {
  auto loaded = use_.database.blocking_write([this, first = make_key({})](storage::Transaction& transaction) {
    if (insert_first_key(transaction, first)) {
      use_.events.record(transaction, about_key("sensitive_create", first.id, "first"));
      transaction.after_commit([this] { use_.revisions.bump_keys(); });
    }
    return load(transaction);
  });
  if (!loaded) return fail_from(loaded);
  publish(std::move(*loaded));
  return {};
}

Result<std::string> KeyRing::blocking_rotate(Rotation rotation) {
  const auto key = make_key(rotation == Rotation::planned ? publication_lead : std::chrono::seconds{0});
  return use_.database.blocking_write([this, &key,
                                       rotation](storage::Transaction& transaction) -> Result<std::string> {
    if (rotation != Rotation::planned) {
      insert_key_now(transaction, key, rotation == Rotation::compromised);
    } else if (!insert_next_key(transaction, key)) {
      return fail(ErrorCode::conflict, "The next key waits already; it will sign in its turn (or use --now)");
    }
    use_.events.record(transaction, about_key("sensitive_create", key.id, to_word(rotation)));
    transaction.after_commit([this] { use_.revisions.bump_keys(); });
    return key.id;
  });
}

Task<KeySnapshotPointer> KeyRing::read() {
  auto loaded =
      co_await use_.database.read([this](storage::Transaction& transaction) { return load(transaction); });
  if (loaded) co_return std::move(*loaded);
  // The database is away or has too much to do: come back later, and no fault of ours (H4).
  if (loaded.error().code == ErrorCode::unavailable)
    throw storage::Unavailable(loaded.error().private_detail);
  throw std::runtime_error(loaded.error().message);
}

Task<KeySnapshotPointer> KeyRing::current() {
  auto keys = snapshot();
  const auto age = use_.clock.steady() - keys->loaded_at;
  const bool good = age < limits::key_snapshot_max_age && keys->revision == use_.revisions.of_keys();
  if (!good) co_return co_await renew(std::move(keys));
  if (age < read_ahead_age || reading_ahead_.exchange(true)) co_return keys;
  const std::unique_ptr<std::atomic<bool>, decltype([](auto* flag) { *flag = false; })> until_read{
      &reading_ahead_};
  co_return co_await or_known(renew(keys), keys);
}

Task<KeySnapshotPointer> KeyRing::renew(KeySnapshotPointer known) {
  auto loaded = co_await read();
  if (loaded->revision == known->revision && !has_same_keys(*loaded, *known)) {
    // A change that nobody announced. What the loops have cached under the old keys has to go before anybody
    // sees the new ones: so these have a revision of their own.
    use_.revisions.bump_keys();
    loaded = co_await read();
  }
  publish(loaded);
  co_return loaded;
}

Task<KeySnapshotPointer> KeyRing::current_or(KeySnapshotPointer known) {
  return or_known(current(), std::move(known));
}

bool KeyRing::is_rotation_due(const KeySnapshot& keys, Time now) const {
  const auto wanted = jose::to_name(settings_.algorithm);
  for (const auto& row : keys.rows) {
    const auto status = status_of(row, keys.rows, now);
    if (status == KeyStatus::next) return false;
    if (status == KeyStatus::active) {
      return row.algorithm != wanted || now >= row.activates_at + settings_.max_age - publication_lead;
    }
  }
  return true;
}

Task<void> KeyRing::maintain(Leases* leases) {
  const auto keys = co_await current();
  const auto now = use_.clock.now();
  const bool rotate = is_rotation_due(*keys, now);
  const auto all = co_await use_.database.read(list_signing_keys);
  const bool expire = std::ranges::any_of(
      all, [&](const auto& row) { return status_of(row, all, now) == KeyStatus::removed; });
  if (!rotate && !expire) co_return;

  std::optional<SigningKeyRow> next;
  if (rotate) next = make_key(publication_lead);
  const auto change = [this, &next, now, leases](storage::Transaction& transaction) {
    if (!leases->take(transaction, LeasedWork::key_maintenance)) return false;
    for (const auto& row : delete_removed_keys(transaction, now))
      use_.events.record(transaction, about_key("sensitive_delete", row, "expired"));
    transaction.after_commit([this] { use_.revisions.bump_keys(); });
    if (!next || !insert_next_key(transaction, *next)) return false;
    use_.events.record(transaction, about_key("sensitive_create", next->id, "planned"));
    return true;
  };
  const bool changed = co_await use_.database.write(change);
  if (changed) log(LogLevel::info, "signing_key_published", {{"key_id", next->id}});
}

}  // namespace keyward::domain
