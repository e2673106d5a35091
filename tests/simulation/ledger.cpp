#include "simulation/ledger.hpp"

#include <array>
#include <variant>

namespace keyward::simulation {
namespace {

using storage::Sql;

class Hash {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) value_ = (value_ ^ static_cast<std::uint8_t>(c)) * 0x100000001B3U;  // FNV-1a
    value_ = (value_ ^ bytes.size()) * 0x100000001B3U;
  }
  void add_value(const storage::ValueView& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) add(std::to_string(*number));
    if (const auto* yes = std::get_if<bool>(&value)) add(*yes ? "yes" : "no");
    if (const auto* text = std::get_if<std::string_view>(&value)) add(*text);
    if (const auto* bytes = std::get_if<BytesView>(&value)) add(as_text(*bytes));
    if (std::holds_alternative<storage::Null>(value)) add("null");
  }
  [[nodiscard]] ContentHash value() const { return value_; }

 private:
  ContentHash value_ = 0xCBF29CE484222325U;
};

void add_rows(Hash& hash, storage::Connection& connection, Sql sql) {
  auto& statement = connection.prepare(sql);
  statement.start({});
  while (statement.next()) {
    for (std::size_t i = 0; i < statement.columns().size(); ++i) hash.add_value(statement.column(i));
  }
  statement.finish();
  hash.add(std::string_view{"end of table"});
}

}  // namespace

ContentHash hash_of_nothing() { return Hash{}.value(); }

ContentHash hash_content(storage::Connection& connection) {
  Hash hash;
  if (!connection.has_table("schema_migrations")) return hash.value();
  add_rows(hash, connection, "SELECT number, checksum FROM schema_migrations ORDER BY number");
  if (!connection.has_table("handover_codes")) return hash.value();
  add_rows(hash, connection, "SELECT * FROM accounts ORDER BY id");
  add_rows(hash, connection, "SELECT * FROM sessions ORDER BY id");
  add_rows(hash, connection, "SELECT * FROM one_time_tokens ORDER BY id");
  add_rows(hash, connection, "SELECT * FROM code_transactions ORDER BY transaction_hash");
  add_rows(hash, connection, "SELECT * FROM handover_codes ORDER BY code_hash");
  add_rows(hash, connection, "SELECT * FROM outgoing_mails ORDER BY id");
  add_rows(hash, connection, "SELECT * FROM deferred_requests ORDER BY id");
  add_rows(hash, connection, "SELECT * FROM rate_limits ORDER BY limit_name, key");
  add_rows(hash, connection, "SELECT * FROM audit_chains ORDER BY id");  // each row's hash is in its end
  add_rows(hash, connection, "SELECT id FROM audit_checkpoints ORDER BY id");
  return hash.value();
}

}  // namespace keyward::simulation
