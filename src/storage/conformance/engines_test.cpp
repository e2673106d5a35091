// The engines that the conformance suite runs on.
#include "storage/conformance/engine.hpp"

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

}  // namespace

std::vector<Engine> engines() { return {sqlite_engine()}; }

}  // namespace keyward::storage::conformance
