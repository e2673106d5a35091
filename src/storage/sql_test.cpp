#include "storage/sql.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "storage/transaction.hpp"

namespace keyward::storage {
namespace {

template <class T>
concept FindsWith = requires(Transaction& t, T sql) { t.find<std::int64_t>(sql); };

// Whatever is known at run time only is no Sql. (A literal given directly is: every other test shows it.)
static_assert(!std::constructible_from<Sql, std::string>);
static_assert(!std::constructible_from<Sql, std::string_view>);
static_assert(!std::constructible_from<Sql, const char*>);
static_assert(!FindsWith<std::string>);
static_assert(!FindsWith<const char*>);
static_assert(FindsWith<Sql>);

TEST(Sql, Z6_only_a_literal_becomes_sql) {
  constexpr Sql sql{"SELECT 1"};
  EXPECT_EQ(sql.text(), "SELECT 1");
  EXPECT_EQ(sql.key(), sql.text().data());
}

}  // namespace
}  // namespace keyward::storage
