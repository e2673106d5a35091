// The engines that the conformance suite runs on.
#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"

namespace keyward::storage::conformance {
namespace {

Engine sqlite_engine() {
  const auto open = [](const std::filesystem::path& folder, const Choices& choices) {
    return Database::open({.path = folder / "keyward.db", .queue_max = choices.queue_max});
  };
  return {.name = "sqlite", .open = open, .check_files = [open](const std::filesystem::path& folder) {
            auto database = open(folder, {});
            if (!database) return database.error().message;
            return (*database)->blocking_read(
                [](Transaction& t) { return t.get<std::string>("PRAGMA integrity_check"); });
          }};
}

Engine postgres_engine() {
  const auto open = [](const std::filesystem::path& folder, const Choices& choices) {
    return Database::open({.postgres_url = Secret{postgres_url_of(folder)},
                           .writer_threads = choices.writers,
                           .queue_max = choices.queue_max});
  };
  // The server's own matter: it was not killed. What it answers to a client that was is enough.
  return {.name = "postgres", .open = open, .check_files = [open](const std::filesystem::path& folder) {
            auto database = open(folder, {});
            if (!database) return database.error().message;
            return (*database)->blocking_read(
                [](Transaction& t) { return t.get<std::string>("SELECT CAST('ok' AS TEXT)"); });
          }};
}

}  // namespace

std::vector<Engine> engines() { return {sqlite_engine(), postgres_engine()}; }

}  // namespace keyward::storage::conformance
