// The conformance suite: what every engine has to do, run against each engine of engines().
//
// A new engine is one more entry in engines_test.cpp.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/temporary_folder.hpp"
#include "storage/database.hpp"

namespace keyward::storage::conformance {

struct Choices {
  std::size_t queue_max = limits::database_queue_max;
  std::size_t writers = 4;  // of an engine that has several
};

struct Engine {
  std::string name;
  /// Opens the database that belongs to this folder: the same one each time.
  std::function<Result<std::unique_ptr<Database>>(const std::filesystem::path& folder,
                                                  const Choices& choices)>
      open;
  /// What the engine's own check of its files says; "ok" when they are whole.
  std::function<std::string(const std::filesystem::path& folder)> check_files;
};

std::vector<Engine> engines();

inline std::ostream& operator<<(std::ostream& to, const Engine& engine) { return to << engine.name; }

using keyward::TemporaryFolder;

/// Opens the engine's database with the tables of the suite.
class Conformance : public testing::TestWithParam<Engine> {
 protected:
  std::unique_ptr<Database> open(const Choices& choices = {}) {
    auto opened = GetParam().open(folder_.path(), choices);
    if (!opened) throw std::runtime_error(opened.error().message);
    (*opened)->blocking_write([](Transaction& t) {
      t.execute("CREATE TABLE IF NOT EXISTS items (id BIGINT PRIMARY KEY, name TEXT UNIQUE, state BIGINT)");
      t.execute(
          "CREATE TABLE IF NOT EXISTS parts (item BIGINT NOT NULL REFERENCES items(id) ON DELETE CASCADE)");
      t.execute(
          "CREATE TABLE IF NOT EXISTS every (id BIGINT PRIMARY KEY, number BIGINT, yes BOOLEAN, words TEXT, "
          "raw BYTEA)");
    });
    return std::move(*opened);
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

inline std::int64_t count_items(Database& database) {
  return database.blocking_read(
      [](Transaction& t) { return t.get<std::int64_t>("SELECT count(*) FROM items"); });
}

}  // namespace keyward::storage::conformance

#define KEYWARD_FOR_EVERY_ENGINE(suite)                                                                   \
  INSTANTIATE_TEST_SUITE_P(Engines, suite, testing::ValuesIn(::keyward::storage::conformance::engines()), \
                           [](const auto& info) { return info.param.name; })
