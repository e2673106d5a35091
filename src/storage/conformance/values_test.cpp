// Conformance: every type goes in and comes out as it was; rows are matched by name; wrong use is refused.
#include <boost/describe/class.hpp>
#include <cstdint>
#include <limits>

#include "storage/conformance/engine.hpp"

namespace keyward::storage::conformance {
namespace {

using Values = Conformance;
KEYWARD_FOR_EVERY_ENGINE(Values);

struct Every {
  std::int64_t id = 0;
  std::optional<std::int64_t> number;
  std::optional<bool> yes;
  std::optional<std::string> words;
  std::optional<Bytes> raw;
  bool operator==(const Every&) const = default;
};
BOOST_DESCRIBE_STRUCT(Every, (), (id, number, yes, words, raw))

struct Swapped {
  std::optional<std::string> words;
  std::int64_t id = 0;
};
BOOST_DESCRIBE_STRUCT(Swapped, (), (words, id))

struct TooMany {
  std::int64_t id = 0;
  std::optional<std::string> words;
  bool extra = false;
};
BOOST_DESCRIBE_STRUCT(TooMany, (), (id, words, extra))

TEST_P(Values, every_type_comes_back_as_it_went_in) {
  const auto database = open();
  const std::vector<Every> rows{
      {1, 0, false, "", Bytes{}},  // empty is not NULL
      {2, std::nullopt, std::nullopt, std::nullopt, std::nullopt},
      {3, std::numeric_limits<std::int64_t>::min(), true, "Grüße, \U0001F600 'quoted' \"twice\" $1 ?",
       Bytes{0, 1, 0, 255}},
      {4, std::numeric_limits<std::int64_t>::max(), true, "123",
       Bytes{'4', '2'}},  // what looks like a number stays text
  };
  const auto read_back = database->blocking_write([&](Transaction& t) {
    for (const auto& row : rows) {
      const auto changed =
          t.execute("INSERT INTO every (id, number, yes, words, raw) VALUES ($1, $2, $3, $4, $5)", row.id,
                    row.number, row.yes, row.words, row.raw);
      EXPECT_EQ(changed, 1);
    }
    return t.list<Every>("SELECT id, number, yes, words, raw FROM every ORDER BY id");
  });
  EXPECT_EQ(read_back, rows);
  EXPECT_EQ(database->blocking_read([](Transaction& t) {
    return t.list<Every>("SELECT id, number, yes, words, raw FROM every ORDER BY id");
  }),
            rows);
}

TEST_P(Values, empty_views_without_an_address_are_not_null) {
  const auto database = open();
  const auto row = database->blocking_write([](Transaction& t) {
    return t.get<Every>(
        "INSERT INTO every (id, words, raw) VALUES ($1, $2, $3) RETURNING id, number, yes, words, raw", 1,
        std::string_view{}, BytesView{});
  });
  EXPECT_EQ(row.words, "");
  EXPECT_EQ(row.raw, Bytes{});
}

TEST_P(Values, times_ids_and_arrays) {
  const auto database = open();
  const Uuid id{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}};
  const std::array<std::uint8_t, 32> hash{1, 2, 3};
  const Time time{microseconds{1'764'000'000'123'456}};
  database->blocking_write([&](Transaction& t) {
    t.execute("INSERT INTO every (id, number, raw) VALUES ($1, $2, $3)", 1, time, id);
    t.execute("INSERT INTO every (id, raw) VALUES ($1, $2)", 2, hash);
  });
  database->blocking_read([&](Transaction& t) {
    EXPECT_EQ(t.get<Time>("SELECT number FROM every WHERE raw = $1", id), time);
    EXPECT_EQ(t.get<Uuid>("SELECT raw FROM every WHERE id = 1"), id);
    EXPECT_EQ((t.get<std::array<std::uint8_t, 32>>("SELECT raw FROM every WHERE id = 2")), hash);
    EXPECT_EQ(t.get<std::optional<Time>>("SELECT number FROM every WHERE id = 2"), std::nullopt);
    EXPECT_EQ(t.find<Uuid>("SELECT raw FROM every WHERE id = 3"), std::nullopt);
  });
  EXPECT_THROW(
      database->blocking_read([](Transaction& t) { t.get<Uuid>("SELECT raw FROM every WHERE id = 2"); }),
      std::logic_error);
}

TEST_P(Values, booleans_and_literals) {
  const auto database = open();
  database->blocking_write([](Transaction& t) {
    t.execute("INSERT INTO every (id, yes) VALUES (1, TRUE), (2, FALSE), (3, $1)", true);
    EXPECT_EQ(t.get<std::int64_t>("SELECT count(*) FROM every WHERE yes"), 2);
    EXPECT_EQ(t.get<std::int64_t>("SELECT count(*) FROM every WHERE yes = $1", false), 1);
    EXPECT_EQ(t.get<std::int64_t>("SELECT count(*) FROM every WHERE NOT yes"), 1);
    EXPECT_TRUE(t.get<bool>("SELECT yes FROM every WHERE id = 1"));
  });
}

TEST_P(Values, parameters_in_any_order_and_more_than_once) {
  const auto database = open();
  const auto row = database->blocking_write([](Transaction& t) {
    t.execute("INSERT INTO every (words, id, number) VALUES ($3, $1, $2)", 7, 70, "seven");
    return t.get<Every>(
        "SELECT id, number, yes, words, raw FROM every WHERE words = $2 AND id = $1 AND number >= $1", 7,
        "seven");
  });
  EXPECT_EQ(row, (Every{7, 70, std::nullopt, "seven", std::nullopt}));
}

TEST_P(Values, text_that_not_every_engine_keeps_is_refused) {
  const auto database = open();
  const auto insert = [&](std::string_view text) {
    database->blocking_write(
        [&](Transaction& t) { t.execute("INSERT INTO every (id, words) VALUES (1, $1)", text); });
  };
  EXPECT_THROW(insert(std::string_view{"a\0b", 3}), std::invalid_argument);
  EXPECT_THROW(insert("caf\xE9"), std::invalid_argument);
  EXPECT_THROW(insert("\xC0\x80"), std::invalid_argument);
  EXPECT_THROW(insert("\xED\xA0\x80"), std::invalid_argument);
  EXPECT_THROW(insert("\xF4\x90\x80\x80"), std::invalid_argument);
  EXPECT_THROW(insert("\xE2\x82"), std::invalid_argument);
  EXPECT_NO_THROW(insert("é€\U0001F600"));
}

TEST_P(Values, columns_must_be_the_members_in_order) {
  const auto database = open();
  try {
    database->blocking_read([](Transaction& t) { t.list<Swapped>("SELECT id, words FROM every"); });
    FAIL() << "a wrong order was accepted";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string{error.what()}.find("\"id\""), std::string::npos) << error.what();
    EXPECT_NE(std::string{error.what()}.find("\"words\""), std::string::npos) << error.what();
  }
  EXPECT_THROW(
      database->blocking_read([](Transaction& t) { t.list<TooMany>("SELECT id, words FROM every"); }),
      std::logic_error);
  EXPECT_THROW(
      database->blocking_read([](Transaction& t) { t.list<std::int64_t>("SELECT id, words FROM every"); }),
      std::logic_error);
  EXPECT_NO_THROW(
      database->blocking_read([](Transaction& t) { t.list<Swapped>("SELECT words, id FROM every"); }));
}

TEST_P(Values, wrong_use_is_a_logic_error) {
  const auto database = open();
  database->blocking_write(
      [](Transaction& t) { t.execute("INSERT INTO every (id, words) VALUES (1, 'x'), (2, 'y')"); });
  const auto refuses = [&](auto closure) {
    EXPECT_THROW(database->blocking_read(closure), std::logic_error);
  };
  refuses([](Transaction& t) { t.find<std::int64_t>("SELECT id FROM every"); });                 // two rows
  refuses([](Transaction& t) { t.get<std::int64_t>("SELECT id FROM every WHERE id = 9"); });     // none
  refuses([](Transaction& t) { t.get<std::string>("SELECT number FROM every WHERE id = 1"); });  // NULL
  refuses([](Transaction& t) { t.get<std::int64_t>("SELECT words FROM every WHERE id = 1"); });  // TEXT
  refuses([](Transaction& t) { t.list<std::int64_t>("SELECT id FROM every WHERE id = $1"); });   // too few
  refuses([](Transaction& t) { t.list<std::int64_t>("SELECT id FROM every", 1); });              // too many
  refuses([](Transaction& t) { t.list<std::int64_t>("SELECT id FROM every WHERE id = $2", 1, 2); });
  refuses([](Transaction& t) { t.list<std::int64_t>("SELECT id FROM no_such_table"); });
}

TEST_P(Values, execute_counts_rows) {
  const auto database = open();
  database->blocking_write([](Transaction& t) {
    EXPECT_EQ(t.execute("INSERT INTO items (id, state) VALUES (1, 0), (2, 0), (3, 0)"), 3);
    EXPECT_EQ(t.execute("UPDATE items SET state = 1 WHERE id >= $1", 2), 2);
    EXPECT_EQ(t.execute("UPDATE items SET state = 1 WHERE id = 9"), 0);
    EXPECT_EQ(t.execute("INSERT INTO items (id) VALUES (1) ON CONFLICT DO NOTHING"), 0);
    EXPECT_EQ(t.execute("INSERT INTO parts (item) VALUES (1), (1)"), 2);
    EXPECT_EQ(t.execute("DELETE FROM items WHERE id = 1"), 1);  // its parts go too, and do not count
    EXPECT_EQ(t.get<std::int64_t>("SELECT count(*) FROM parts"), 0);
  });
}

}  // namespace
}  // namespace keyward::storage::conformance
