#include "storage/postgres/url.hpp"

#include <gmock/gmock.h>

namespace keyward::storage::postgres {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view canary = "c4nary-pa55word";

TEST(PostgresUrl, is_told_from_a_path) {
  EXPECT_TRUE(is_url("postgres://localhost/keyward"));
  EXPECT_TRUE(is_url("postgresql://localhost/keyward"));
  EXPECT_FALSE(is_url("/var/lib/keyward/keyward.db"));
  EXPECT_FALSE(is_url("postgres.db"));
}

TEST(PostgresUrl, what_libpq_reads_is_good) {
  for (const std::string_view url :
       {"postgres://", "postgres://localhost",
        "postgresql://ada:secret@db.example.com:5433/keyward?sslmode=verify-full",
        "postgres:///keyward?host=/run/postgresql", "postgres://a,b:5433/keyward",
        "postgres://a:5433,b/keyward", "postgres:///keyward?host=a,b&port=5433,5434",
        "postgres://[::1]/keyward"}) {
    EXPECT_TRUE(check_url(url)) << url;
  }
}

TEST(PostgresUrl, L2_no_password_in_what_is_said_of_a_bad_one) {
  const std::string secret{canary};
  for (const auto& url :
       {"postgres://ada:" + secret + "%zz@localhost/x", "postgres://ada:" + secret + "@[::1/x",
        "postgres://localhost/x?pasword=" + secret, "postgres://ada@localhost/x?" + secret,
        "postgres://ada:" + secret + "/x", "mysql://ada:" + secret + "@localhost/x"}) {
    const auto checked = check_url(url);
    ASSERT_FALSE(checked) << url;
    EXPECT_THAT(checked.error().message, Not(HasSubstr(secret)));
    EXPECT_THAT(checked.error().private_detail, Not(HasSubstr(secret)));
  }
}

TEST(PostgresUrl, L2_no_password_in_what_is_shown) {
  const std::string secret{canary};
  EXPECT_EQ(shown_url("postgres://ada:" + secret + "@db.example.com:5433/keyward?sslmode=require"),
            "postgres://ada:********@db.example.com:5433/keyward?sslmode=require");
  EXPECT_EQ(shown_url("postgres://db/keyward?user=ada&password=" + secret),
            "postgres://ada:********@db/keyward");
  EXPECT_EQ(shown_url("postgres:///keyward?host=/run/postgresql"),
            "postgres:///keyward?host=/run/postgresql");
  EXPECT_THAT(shown_url("postgres://db/keyward?sslpassword=" + secret), Not(HasSubstr(secret)));
}

}  // namespace
}  // namespace keyward::storage::postgres
