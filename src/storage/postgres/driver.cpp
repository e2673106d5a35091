#include "storage/postgres/driver.hpp"

#include <utility>

#include "storage/postgres/connection.hpp"
#include "storage/postgres/url.hpp"

namespace keyward::storage::postgres {
namespace {

/// A conflict is ordinary here: two closures that meet on a row. Each round of those that meet has a winner,
/// so that as many attempts as there are connections would do. Other nodes have theirs: enough for five.
constexpr int attempts_max = 24;

class PostgresDriver final : public Driver {
 public:
  explicit PostgresDriver(Options options) : options_(std::move(options)) {}

  [[nodiscard]] LaneShape shape(Access access) const override {
    // No groups: the server makes the commits of several connections durable together by itself, and a
    // conflict would undo a whole group.
    const auto connections = access == Access::write ? options_.writer_threads : options_.reader_threads;
    return {.connections = connections, .group_max = 1, .attempts_max = attempts_max};
  }
  /// Not even with one writer here: other nodes have theirs.
  [[nodiscard]] bool writers_take_turns() const override { return false; }
  std::unique_ptr<Connection> connect(Access access) override {
    return std::make_unique<PostgresConnection>(options_.url, access, options_.answer_limit);
  }

 private:
  Options options_;
};

}  // namespace

Result<std::unique_ptr<Driver>> open_driver(Options options) {
  if (auto checked = check_url(options.url.text()); !checked) return fail_from(checked);
  return std::make_unique<PostgresDriver>(std::move(options));
}

}  // namespace keyward::storage::postgres
