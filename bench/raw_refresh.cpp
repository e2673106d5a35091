// How many refreshes a second SQLite gives when nothing stands around them: the two statements of a refresh
// (a conditional update of the session, a row of the audit trail), durable, in groups of 64. The ceiling of
// /refresh. usage: raw_refresh FOLDER SECONDS MIGRATION.sql…
#include <sqlite3.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace {

sqlite3* database = nullptr;

void require(int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  std::fprintf(stderr, "raw_refresh: %s\n", sqlite3_errmsg(database));
  std::exit(1);
}

void run(const std::string& script) {
  require(sqlite3_exec(database, script.c_str(), nullptr, nullptr, nullptr));
}

sqlite3_stmt* prepare(const char* text) {
  sqlite3_stmt* statement = nullptr;
  require(sqlite3_prepare_v3(database, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  return statement;
}

void step(sqlite3_stmt* statement) {
  require(sqlite3_step(statement));
  require(sqlite3_reset(statement));
}

using Id = std::array<std::uint8_t, 16>;

Id id_of(int number) {
  Id id{};
  // Spread over the tree, as the tails of real ids are.
  const auto mixed = static_cast<std::uint32_t>(number) * 2654435761U;
  for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<std::uint8_t>(mixed >> (8 * i));
  id[15] = static_cast<std::uint8_t>(number);
  return id;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  require(sqlite3_open((std::string{argv[1]} + "/raw_refresh.db").c_str(), &database));
  run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete "
      "= ON");
  for (int i = 3; i < argc; ++i) {
    std::ostringstream text;
    text << std::ifstream{argv[i]}.rdbuf();
    run(text.str());
  }
  constexpr int sessions = 64;
  run("INSERT INTO accounts (id, email, email_normalized, created_at, updated_at) VALUES (x'00', 'a', 'a', "
      "0, 0)");
  auto* insert = prepare(
      "INSERT INTO sessions (id, account_id, generation, user_agent, address, created_at, "
      "last_used_at, idle_expires_at, expires_at) VALUES (?, x'00', 0, 'wrk', '127.0.0.1', 0, 0, 0, 0)");
  for (int i = 0; i < sessions; ++i) {
    const auto id = id_of(i);
    sqlite3_bind_blob(insert, 1, id.data(), id.size(), SQLITE_TRANSIENT);
    step(insert);
  }

  auto* update = prepare(
      "UPDATE sessions SET generation = generation + 1, replaced_at = ?3, last_used_at = ?3, "
      "idle_expires_at = ?3 WHERE id = ?1 AND generation = ?2 AND ended_at IS NULL");
  auto* audit = prepare(
      "INSERT INTO audit_events (chain, sequence, occurred_at, event, account_id, session_id, reason, "
      "detail, email, address, user_agent, request_id, hash) VALUES (0, ?1, ?2, "
      "'authn_token_created', x'00', ?3, 'refresh', '', '', '127.0.0.1', 'wrk', '0123456789abcde', ?4)");
  const std::chrono::duration<double> length{std::strtod(argv[2], nullptr)};
  const auto start = std::chrono::steady_clock::now();
  const std::array<std::uint8_t, 32> hash{};
  std::int64_t done = 0;
  for (std::int64_t generation = 0; std::chrono::steady_clock::now() - start < length; ++generation) {
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < sessions; ++i) {
      const auto id = id_of(i);
      const auto now = 1'800'000'000'000'000 + ++done;
      sqlite3_bind_blob(update, 1, id.data(), id.size(), SQLITE_STATIC);
      sqlite3_bind_int64(update, 2, generation);
      sqlite3_bind_int64(update, 3, now);
      step(update);
      if (sqlite3_changes(database) != 1) return 1;
      sqlite3_bind_int64(audit, 1, done);
      sqlite3_bind_int64(audit, 2, now);
      sqlite3_bind_blob(audit, 3, id.data(), id.size(), SQLITE_STATIC);
      sqlite3_bind_blob(audit, 4, hash.data(), hash.size(), SQLITE_STATIC);
      step(audit);
    }
    run("COMMIT");
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%.1f\n", static_cast<double>(done) / took.count());
}
