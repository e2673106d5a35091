#include "storage/postgres/connection.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "storage/errors.hpp"
#include "storage/postgres/exchange.hpp"
#include "storage/postgres/libpq.hpp"

namespace keyward::storage::postgres {
namespace {

// "KWRD", 1: the lock that migrations take.
#define KEYWARD_SCHEMA_LOCK "1264013892, 1"

std::string application_name() {
  std::array<char, 64> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("keyward {:.40}:{}", host.data(), ::getpid());
}

/// The first of two equal names counts for less: the URL may choose otherwise where it stands before dbname.
std::unique_ptr<pg_conn, CloseConnection> connect(const Secret& url) {
  const auto seconds = [](std::chrono::seconds time) { return std::to_string(time.count()); };
  const std::string name = application_name();
  const std::string connect_timeout = seconds(limits::postgres_connect_timeout);
  const std::string user_timeout =
      std::to_string(std::chrono::milliseconds{limits::postgres_answer_timeout}.count());
  const std::string keepalive = seconds(limits::postgres_keepalive_idle);
  std::string text{url.text()};
  // libpq expands `dbname` when it holds a URL. Names before it are ours unless the URL has them; names after
  // it are ours in any case.
  const std::vector<std::pair<const char*, const char*>> parameters{
      {"connect_timeout", connect_timeout.c_str()},
      {"tcp_user_timeout", user_timeout.c_str()},
      {"keepalives_idle", keepalive.c_str()},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      {"gssencmode", "disable"},               // else each connection begins with a round trip for nothing
      {"target_session_attrs", "read-write"},  // of several hosts the primary; a standby is refused
      {"dbname", text.c_str()},
      {"application_name", name.c_str()},
      {"client_encoding", "UTF8"},
  };
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword);
    values.push_back(value);
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<pg_conn, CloseConnection> connection{PQconnectdbParams(keywords.data(), values.data(), 1)};
  wipe(text);
  return connection;
}

void ignore_notice(void* /*argument*/, const char* /*message*/) {}

std::string server_of(const pg_conn* connection) {
  const auto text = [](const char* part) { return part == nullptr ? "" : part; };
  return fmt::format("database \"{}\" on {}:{}", text(PQdb(connection)), text(PQhost(connection)),
                     text(PQport(connection)));
}

}  // namespace

PostgresConnection::PostgresConnection(const Secret& url, Access access,
                                       std::chrono::milliseconds answer_limit)
    : access_(access), link_{.connection = connect(url), .answer_limit = answer_limit} {
  if (!link_.connection) throw Failure("libpq: out of memory");
  PQsetNoticeProcessor(link_.get(), ignore_notice, nullptr);
  if (PQstatus(link_.get()) != CONNECTION_OK) {
    throw Unavailable(fmt::format("The PostgreSQL {} cannot be used: {}", server_of(link_.get()),
                                  last_message(link_.get())));
  }
  // Nothing that libpq does from here on waits for the socket, not even its farewell at the end.
  if (PQsetnonblocking(link_.get(), 1) != 0) throw Unavailable("libpq: " + last_message(link_.get()));
  check_server();
  configure();
}

PostgresConnection::~PostgresConnection() = default;

void PostgresConnection::check_server() const {
  const int version = PQserverVersion(link_.get());
  if (version < 150'000) {
    throw Failure(fmt::format("Keyward needs PostgreSQL 15 or newer; {} is version {}.{}.",
                              server_of(link_.get()), version / 10'000, version % 10'000));
  }
  const char* encoding = PQparameterStatus(link_.get(), "server_encoding");
  if (encoding == nullptr || std::string_view{encoding} != "UTF8") {
    throw Failure(
        fmt::format("The PostgreSQL {} is encoded in {}. Make one in UTF8: CREATE DATABASE keyward "
                    "ENCODING 'UTF8' TEMPLATE template0.",
                    server_of(link_.get()), encoding == nullptr ? "(unknown)" : encoding));
  }
}

void PostgresConnection::configure() {
  const auto milliseconds = [](std::chrono::milliseconds time) { return time.count(); };
  // search_path: "$user" would let a schema of the user's name come before ours; who chose another path (in
  // the URL, for the role or the database) meant it. synchronous_commit: an answered change is on the disk;
  // what is stricter than `on` stays.
  const auto sql = fmt::format(
      "SET TimeZone = 'UTC'; SET standard_conforming_strings = on; SET bytea_output = 'hex'; "
      "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; "
      "SELECT set_config('search_path', 'public', false) "
      "WHERE current_setting('search_path') = '\"$user\", public'; "
      "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = "
      "'off'",
      milliseconds(limits::postgres_statement_timeout), milliseconds(limits::postgres_lock_timeout),
      milliseconds(limits::postgres_idle_in_transaction_timeout));
  run(sql.c_str());
  // SERIALIZABLE remembers what a transaction read. After a scan of a whole table, which the planner likes
  // for small ones, that is the table, and every other writer of it a conflict; through an index it is a
  // page.
  if (access_ == Access::write) run("SET enable_seqscan = off");
}

ResultHandle PostgresConnection::run(const char* sql, std::chrono::milliseconds limit) {
  return await_answer(link_, PQsendQuery(link_.get(), sql), limit, sql);
}

void PostgresConnection::begin() {
  run(access_ == Access::write ? "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
                               : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

void PostgresConnection::commit() {
  try {
    // A migration's may have much to write.
    const auto result =
        run("COMMIT", schema_locked_ ? limits::postgres_migration_timeout : link_.answer_limit);
    // Of a transaction that a statement has spoilt, COMMIT is a ROLLBACK, and no error.
    if (std::string_view{PQcmdStatus(result.get())} != "COMMIT")
      throw Failure("PostgreSQL: the transaction was rolled back at its commit");
  } catch (const Conflict&) {
    throw;
  } catch (const Unavailable& lost) {
    // That would say that nothing was changed, which nobody knows.
    throw Failure(lost.what());
  }
  unlock_schema();
}

void PostgresConnection::rollback() noexcept {
  try {
    if (in_transaction()) run("ROLLBACK");
  } catch (const std::exception& error) {
    // A lost connection cannot roll back, and need not: its server does.
    if (!link_.lost) log(LogLevel::error, "database_rollback_failed", {{"error", error.what()}});
  }
  unlock_schema();
}

bool PostgresConnection::in_transaction() const {
  const auto status = PQtransactionStatus(link_.get());
  return !link_.lost && (status == PQTRANS_INTRANS || status == PQTRANS_INERROR);
}

bool PostgresConnection::usable() const {
  return !link_.lost && !schema_locked_ && PQstatus(link_.get()) == CONNECTION_OK &&
         PQtransactionStatus(link_.get()) == PQTRANS_IDLE;
}

Statement& PostgresConnection::prepare(Sql sql) {
  auto& statement = statements_[sql.key()];
  if (!statement) {
    statement = std::make_unique<PostgresStatement>(link_, new_statement_name(), sql);
  }
  return *statement;
}

void PostgresConnection::run_script(std::string_view script) {
  const std::chrono::milliseconds limit = limits::postgres_migration_timeout;
  run(fmt::format("SET LOCAL statement_timeout = {}", limit.count()).c_str());
  const std::string text{script};
  try {
    await_answer(link_, PQsendQuery(link_.get(), text.c_str()), limit + limits::postgres_answer_margin,
                 script.substr(0, 200));
  } catch (const std::logic_error& wrong) {
    // Not a statement of ours that is wrong, but a schema that is not what the script was written for.
    throw Failure(wrong.what());
  }
}

bool PostgresConnection::has_table(std::string_view name) {
  PostgresStatement statement{link_, new_statement_name(), "SELECT to_regclass($1::text) IS NOT NULL"};
  const ValueView value = name;
  statement.start({&value, 1});
  return statement.next() && std::get<bool>(statement.column(0));
}

void PostgresConnection::lock_schema() {
  // Not inside the transaction: its statements would see the state of before the wait, and run again what the
  // other process has run meanwhile.
  run("ROLLBACK");
  const auto wait = std::chrono::milliseconds{limits::postgres_schema_lock_timeout}.count();
  run(fmt::format("SET lock_timeout = {}; SET statement_timeout = 0", wait).c_str());
  std::string refusal;
  try {
    run("SELECT pg_advisory_lock(" KEYWARD_SCHEMA_LOCK ")",
        limits::postgres_schema_lock_timeout + limits::postgres_answer_margin);
    schema_locked_ = true;
  } catch (const Unavailable& late) {
    if (link_.lost) throw;
    refusal = fmt::format("The database is being migrated by {} for more than {} s already ({})",
                          schema_lock_owner(), wait / 1000, late.what());
  }
  run(fmt::format("SET lock_timeout = {}; SET statement_timeout = {}",
                  std::chrono::milliseconds{limits::postgres_lock_timeout}.count(),
                  std::chrono::milliseconds{limits::postgres_statement_timeout}.count())
          .c_str());
  begin();
  if (!refusal.empty()) throw Unavailable(refusal);
}

void PostgresConnection::unlock_schema() noexcept {
  if (!schema_locked_) return;
  try {
    run("SELECT pg_advisory_unlock(" KEYWARD_SCHEMA_LOCK ")");
    schema_locked_ = false;
  } catch (const std::exception& error) {
    // What was committed stays so. The lane throws this connection away, and the lock goes with it.
    log(LogLevel::warning, "database_unlock_failed", {{"error", error.what()}});
  }
}

std::string PostgresConnection::schema_lock_owner() {
  const auto result =
      run("SELECT format('%s (server process %s, connected from %s since %s)', a.application_name, a.pid, "
          "coalesce(host(a.client_addr), 'a local socket'), a.backend_start) "
          "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
          "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 1264013892 AND l.objid = 1 "
          "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())");
  return PQntuples(result.get()) == 0 ? "a process that has just ended" : PQgetvalue(result.get(), 0, 0);
}

}  // namespace keyward::storage::postgres
