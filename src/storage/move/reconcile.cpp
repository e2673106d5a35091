#include "storage/move/reconcile.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/limits.hpp"

namespace keyward::storage {
namespace {

constexpr std::string_view source_side = "the old database";
constexpr std::string_view target_side = "the target";

constexpr auto not_moved = std::to_array<std::string_view>({"schema_migrations", "leases", "database_moves"});

std::vector<Table> list_moved(Connection& connection) {
  auto tables = connection.list_tables();
  std::erase_if(tables, [](const Table& table) { return !is_moved(table); });
  return tables;
}

/// Commits now and then, so that neither side has to remember much.
class Batches {
 public:
  Batches(Connection& target, const MoveGate& gate, const MoveProgress& progress)
      : target_(target), gate_(gate), progress_(progress) {}
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;
  ~Batches() { target_.rollback(); }

  void begin() {
    on_side(target_side, [this] {
      target_.begin();
      gate_(target_);
    });
  }
  void changed(const std::string& table, std::size_t rows) {
    total_ += rows;
    open_ += rows;
    if (open_ < limits::move_page_rows) return;
    commit(table);
    begin();
  }
  std::size_t finish() {
    commit({});
    return total_;
  }

 private:
  void commit(std::string_view table) {
    on_side(target_side, [this] { target_.commit(); });
    open_ = 0;
    if (progress_) progress_(table, total_);
  }

  Connection& target_;
  const MoveGate& gate_;
  const MoveProgress& progress_;
  std::size_t total_ = 0, open_ = 0;
};

/// What of the target is not in the source just so.
void remove_strangers(const TableStatements& of_source, const TableStatements& of_target, Connection& source,
                      Connection& target, Batches& batches) {
  const Table& table = of_target.table();
  TableWalk there{of_target, target};
  if (there.peek() == nullptr) return;  // nothing to compare with
  TableWalk here{of_source, source};
  while (const MovedRow* row = there.peek()) {
    const MovedRow* wanted = here.peek();
    const int order = wanted == nullptr ? 1 : compare_keys(table, *wanted, *row);
    if (order < 0) {
      here.advance();
      continue;
    }
    const bool stays = order == 0 && *wanted == *row;
    if (!stays) {
      of_target.remove(target, *row);
      batches.changed(table.name, 1);
    }
    there.advance();
    if (order == 0) here.advance();
  }
}

void insert_missing(const TableStatements& of_source, const TableStatements& of_target, Connection& source,
                    Connection& target, Batches& batches) {
  const Table& table = of_source.table();
  std::vector<MovedRow> missing;
  const auto insert = [&](std::size_t at_once) {
    std::span<const MovedRow> rest{missing};
    for (; !rest.empty() && rest.size() >= at_once; rest = rest.subspan(at_once))
      of_target.insert(target, rest.first(at_once));
    const std::size_t done = missing.size() - rest.size();
    missing.erase(missing.begin(), missing.begin() + static_cast<std::ptrdiff_t>(done));
    batches.changed(table.name, done);
  };
  TableWalk here{of_source, source};
  TableWalk there{of_target, target};
  for (const MovedRow* row = here.peek(); row != nullptr; here.advance(), row = here.peek()) {
    const MovedRow* found = there.peek();
    while (found != nullptr && compare_keys(table, *found, *row) < 0) {
      there.advance();
      found = there.peek();
    }
    if (found != nullptr && compare_keys(table, *found, *row) == 0) continue;
    missing.push_back(*row);
    if (missing.size() == of_target.rows_of_an_insert()) insert(missing.size());
  }
  insert(1);
}

class Summing {
 public:
  Summing(const TableStatements& statements, Connection& connection, const Sha256Function& sha256)
      : walk_(statements, connection), sha256_(sha256), summary_{statements.table().name, 0, {}} {}

  /// False at the end.
  bool step() {
    const MovedRow* row = walk_.peek();
    if (row == nullptr) return false;
    // Each link holds the one before: the rows, their number and their order.
    Bytes link{summary_.hash.begin(), summary_.hash.end()};
    const auto bytes = canonical_bytes(*row);
    link.insert(link.end(), bytes.begin(), bytes.end());
    summary_.hash = sha256_(link);
    ++summary_.rows;
    walk_.advance();
    return true;
  }
  [[nodiscard]] const TableSummary& summary() const { return summary_; }

 private:
  TableWalk walk_;
  const Sha256Function& sha256_;
  TableSummary summary_;
};

}  // namespace

bool is_moved(const Table& table) { return std::ranges::find(not_moved, table.name) == not_moved.end(); }

MovedTables::MovedTables(Connection& source, Connection& target) {
  const auto tables = list_moved(source);
  if (tables != list_moved(target)) throw std::logic_error("the two databases have not the same tables");
  for (const Table& table : tables) {
    of_source_.emplace_back(table, source.by_bytes(), source_side);
    of_target_.emplace_back(table, target.by_bytes(), target_side);
  }
}

std::vector<std::string> MovedTables::names() const {
  std::vector<std::string> names;
  for (const auto& statements : of_source_) names.push_back(statements.table().name);
  return names;
}

std::size_t reconcile(const MovedTables& tables, Connection& source, Connection& target, const MoveGate& gate,
                      const MoveProgress& progress) {
  Batches batches{target, gate, progress};
  batches.begin();
  for (std::size_t i = tables.size(); i-- > 0;)
    remove_strangers(tables.of_source(i), tables.of_target(i), source, target, batches);
  for (std::size_t i = 0; i < tables.size(); ++i)
    insert_missing(tables.of_source(i), tables.of_target(i), source, target, batches);
  return batches.finish();
}

ComparedTables compare(const MovedTables& tables, Connection& source, Connection& target,
                       const Sha256Function& sha256) {
  ComparedTables compared;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    Summing here{tables.of_source(i), source, sha256};
    Summing there{tables.of_target(i), target, sha256};
    for (bool more = true; more;) {
      more = here.step();
      more = there.step() || more;
    }
    compared.push_back({here.summary(), there.summary()});
  }
  return compared;
}

}  // namespace keyward::storage
