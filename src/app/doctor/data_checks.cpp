#include "app/doctor/data_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/core.hpp"
#include "app/doctor/within.hpp"
#include "app/master_key_file.hpp"
#include "crypto/aead.hpp"
#include "crypto/system_random.hpp"
#include "storage/errors.hpp"
#include "storage/migrations.hpp"
#include "storage/read_only.hpp"

namespace keyward::app {

namespace {

constexpr std::size_t words_max = 400;  // of ours and the database's together

void append(std::vector<Finding>& all, std::vector<Finding> more) {
  std::ranges::move(more, std::back_inserter(all));
}

std::vector<Finding> check_schema(storage::Database& database) {
  Findings found{"migrations"};
  const auto missing = storage::blocking_plan_migrations(database);
  if (!missing) {
    found.error(missing.error().message, "start the version that fits the database");
  } else if (!missing->empty()) {
    found.warning(fmt::format("{} wait to be run", missing->size()),
                  "back the database up; `keyward migrate` or the next start runs them");
  }
  found.otherwise_ok("the database has all of them");
  return found.take();
}

/// Whether the master key is the one that the keys are sealed with; nothing is kept of what it opens.
std::vector<Finding> check_seal(const std::vector<domain::SigningKeyRow>& keys, const Config& config) {
  Findings found{"master-key"};
  crypto::SystemRandom unused;
  const auto master_key = load_master_key(config, config.storage.data, false, unused);
  if (!master_key) {
    found.error(master_key.error().message, "restore the master key that the database was made with");
    return found.take();
  }
  const auto sealing_key = master_key->derive("signing-keys");
  const bool opens = std::ranges::all_of(keys, [&](const auto& key) {
    return crypto::open(sealing_key, key.private_key_sealed, as_bytes(key.id)).has_value();
  });
  if (!opens) {
    found.error("it does not open the stored signing keys",
                "restore the master key that the database was made with");
  }
  found.otherwise_ok("it opens the stored signing keys");
  return found.take();
}

std::vector<domain::Account> read_admins(storage::Database& database) {
  return database.blocking_read([](storage::Transaction& transaction) {
    std::vector<domain::Account> admins;
    std::optional<Uuid> after;
    do {
      auto page = domain::list_accounts(transaction, {.role = "admin"}, after, limits::page_max_items);
      std::ranges::move(page.items, std::back_inserter(admins));
      after = page.next;
    } while (after);
    return admins;
  });
}

std::vector<Finding> check_contents(storage::Database& database, const Config& config, Time now) {
  std::vector<Finding> all;
  append(all, check_schema(database));
  if (all.back().severity != Severity::ok) return all;  // the tables may not be what we know
  const auto keys = database.blocking_read(domain::list_signing_keys);
  if (!keys.empty()) append(all, check_seal(keys, config));
  append(all, judge_keys(keys, config, now));
  append(all, judge_admins(read_admins(database), now));
  return all;
}

}  // namespace

std::vector<Finding> check_data(const Config& config, const Clock& clock) {
  Findings found{"database"};
  auto options = to_database_options(config);
  const bool is_postgres = !options.postgres_url.empty();
  options.create = false;
  options.reader_threads = 1;
  const std::string path = options.path.string();
  try {
    const auto opened = within(limits::doctor_network_timeout, [options = std::move(options)]() mutable {
      return storage::open_to_read(std::move(options));
    });
    if (!opened) {
      found.error("it does not answer in time", "see storage.url");
      return found.take();
    }
    const auto& database = *opened;
    if (!database) {
      if (database.error().code == ErrorCode::not_found) {
        found.note(database.error().message, "the first start makes it");
      } else {
        found.error(cut_foreign(database.error().message, words_max), "see storage.url and storage.data");
      }
      return found.take();
    }
    std::vector<Finding> all;
    if (is_postgres) {
      const auto asked_at = clock.now();
      const auto facts = (*database)->blocking_read(storage::read_server_facts);
      const auto answered_at = clock.now();
      all = judge_server(facts);
      append(all, judge_clocks("the database's", facts.now, {.from = asked_at, .to = answered_at}));
    } else {
      found.ok("SQLite " + (*database)->blocking_read(storage::read_sqlite_version) + ", " + path);
      all = found.take();
    }
    append(all, check_contents(**database, config, clock.now()));
    return all;
  } catch (const storage::Failure& failure) {
    found.error(cut_foreign(std::string{is_postgres ? "it does not answer: " : "it cannot be read: "} +
                                failure.what(),
                            words_max),
                "see storage.url and storage.data");
    return found.take();
  }
}

std::vector<Finding> judge_server(const storage::ServerFacts& facts) {
  Findings found{"database"};
  if (facts.in_recovery == "true")
    found.error("this PostgreSQL is a standby, which takes no writes", "name the primary in storage.url");
  for (const auto& [name, value] :
       {std::pair{"fsync", &facts.fsync}, std::pair{"full_page_writes", &facts.full_page_writes}}) {
    if (*value != "on")
      found.error(fmt::format("PostgreSQL's {} is {}: a crash can destroy the data", name, *value),
                  fmt::format("ALTER SYSTEM SET {} = on", name));
  }
  if (facts.synchronous_commit == "off") {
    found.error(
        "PostgreSQL's synchronous_commit is off: a crash undoes what was answered, ended sessions too",
        "ALTER SYSTEM SET synchronous_commit = on");
  }
  if (facts.over_network == "true" && facts.over_tls != "true")
    found.warning("the connection to PostgreSQL is not encrypted", "add sslmode=verify-full to storage.url");
  found.otherwise_ok("PostgreSQL " + cut_foreign(facts.version));
  return found.take();
}

std::vector<Finding> judge_clocks(std::string_view other, Time theirs, const Between& ours) {
  Findings found{"clock"};
  const auto apart = std::max({theirs - ours.to, ours.from - theirs, Time::duration::zero()});
  const auto sentence = fmt::format("{} clock and this machine's are {} s apart", other,
                                    std::chrono::duration_cast<std::chrono::seconds>(apart).count());
  if (apart > limits::token_clock_skew) {
    found.error(sentence + ": tokens are refused, or live too long", "set both by NTP");
  } else if (apart > limits::doctor_clock_warning) {
    found.warning(sentence, "set both by NTP");
  }
  found.otherwise_ok(fmt::format("{} clock and this machine's agree", other));
  return found.take();
}

std::vector<Finding> judge_keys(const std::vector<domain::SigningKeyRow>& keys, const Config& config,
                                Time now) {
  Findings found{"keys"};
  const auto active = std::ranges::find_if(
      keys, [&](const auto& key) { return domain::status_of(key, keys, now) == domain::KeyStatus::active; });
  if (active == keys.end()) {
    found.note("there is no signing key", "the first start makes one");
    return found.take();
  }
  const auto age = std::chrono::floor<std::chrono::days>(now - active->activates_at);
  const std::chrono::days max_age{config.tokens.key_max_age_days};
  if (age > max_age + std::chrono::days{1}) {  // the server needs a while to publish the next one
    found.warning(fmt::format("the signing key is {} days old, and tokens.key_max_age_days is {}",
                              age.count(), max_age.count()),
                  "a running server replaces it; `keyward key rotate` does now");
  }
  if (active->algorithm != config.tokens.algorithm) {
    found.note(fmt::format("the signing key is {} and tokens.algorithm is {}", active->algorithm,
                           config.tokens.algorithm),
               "`keyward key rotate` makes one of the new kind");
  }
  found.otherwise_ok(fmt::format("the signing key is {} days old", age.count()));
  return found.take();
}

std::vector<Finding> judge_admins(const std::vector<domain::Account>& admins, Time now) {
  Findings found{"admins"};
  const auto enabled = std::ranges::count_if(admins, [](const auto& admin) { return !admin.disabled; });
  if (enabled == 0) {
    found.warning("there is no admin",
                  "POST /setup with the first start's token, or `keyward user add --role admin`");
    return found.take();
  }
  std::string ids;
  std::size_t idle = 0;
  for (const auto& admin : admins) {
    if (admin.disabled || now - admin.last_login_at.value_or(admin.created_at) <= limits::doctor_admin_idle)
      continue;
    if (idle++ < limits::doctor_admins_named_max) ids += " " + admin.id.to_string();
  }
  if (idle != 0) {
    found.warning(fmt::format("{} of {} admins did not log in for 90 days:{}{}", idle, enabled, ids,
                              idle > limits::doctor_admins_named_max ? " …" : ""),
                  "`keyward user disable` or `keyward user role --remove admin` for who left");
  }
  found.otherwise_ok(fmt::format("there are {}, and all logged in within 90 days", enabled));
  return found.take();
}

}  // namespace keyward::app
