#include "protocol/jose/jwt.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <optional>

namespace keyward::protocol::jose {
namespace {

constexpr std::int64_t now_unix_s = 1'900'000'000;
const Time now = from_unix_s(now_unix_s);

template <class T>
std::string reason_of(const Checked<T>& result) {
  return result ? "accepted" : std::string{to_word(result.error().reason)};
}

json::object claims_of(std::string_view text) {
  auto claims = parse_claims(text);
  if (!claims) throw std::runtime_error(claims.error().detail);
  return std::move(*claims);
}
std::string expiry(const json::value& exp, seconds skew = seconds{0}) {
  return reason_of(check_expiry({{"exp", exp}}, now, skew));
}

TEST(Jwt, J14_expiry_to_the_second_and_with_skew) {
  EXPECT_EQ(expiry(now_unix_s + 1), "accepted");
  EXPECT_EQ(expiry(now_unix_s), "expired");
  EXPECT_EQ(expiry(now_unix_s - 59, seconds{60}), "accepted");
  EXPECT_EQ(expiry(now_unix_s - 60, seconds{60}), "expired");
  EXPECT_EQ(expiry(now_unix_s - 60, seconds{86400}), "expired") << "a skew above 60 s counts as 60 s";
  EXPECT_EQ(expiry(now_unix_s, seconds{-60}), "expired");
  EXPECT_EQ(expiry(now_unix_s + 1, seconds{-60}), "accepted");
  EXPECT_EQ(reason_of(check_expiry({}, now)), "missing_claim");
}

TEST(Jwt, J14_times_are_integers_or_finite_numbers_below_2_to_the_53) {
  EXPECT_EQ(expiry(static_cast<double>(now_unix_s) + 0.5), "accepted");
  EXPECT_EQ(expiry(std::uint64_t{9007199254740991}), "accepted");
  EXPECT_EQ(expiry(253402300800), "accepted");
  EXPECT_EQ(expiry(9007199254740991.0), "accepted");
  EXPECT_EQ(expiry(0), "expired");
  for (const auto& value :
       {json::value(std::int64_t{9007199254740992}), json::value(std::numeric_limits<std::int64_t>::max()),
        json::value(std::numeric_limits<std::uint64_t>::max()), json::value(-1), json::value(-0.5),
        json::value(std::numeric_limits<std::int64_t>::min()), json::value(1e300), json::value(-1e300),
        json::value(std::numeric_limits<double>::infinity()),
        json::value(-std::numeric_limits<double>::infinity()),
        json::value(std::numeric_limits<double>::quiet_NaN()), json::value("2000000000"), json::value(""),
        json::value(nullptr), json::value(true), json::value(json::array{2000000000}),
        json::value(json::object{})}) {
    EXPECT_EQ(expiry(value), "invalid_claim");
    EXPECT_EQ(reason_of(check_not_before({{"nbf", value}}, now, Presence::optional)), "invalid_claim");
    EXPECT_EQ(reason_of(check_issued_at({{"iat", value}}, now, Presence::required)), "invalid_claim");
  }
}

TEST(Jwt, J14_numbers_as_they_are_spelled) {
  for (const std::string_view good : {"2000000000", "2e9", "2000000000.25", "2.0E+9", "9007199254740991"}) {
    EXPECT_EQ(reason_of(check_expiry(claims_of(R"({"exp":)" + std::string{good} + "}"), now)), "accepted")
        << good;
  }
  for (const std::string_view bad : {"1e400", "-1e400", "1e308", "99999999999999999999999", "NaN", "Infinity",
                                     "-Infinity", "0x77359400", "02000000000", "+2000000000", "2000000000.",
                                     "\"2e9\"", "-2000000000", "-0.0000001", "9007199254740992"}) {
    const auto claims = parse_claims(R"({"exp":)" + std::string{bad} + "}");
    EXPECT_FALSE(claims && check_expiry(*claims, now)) << bad;
  }
}

TEST(Jwt, J14_not_before_and_issued_at) {
  const auto not_before = [](std::int64_t nbf, seconds skew) {
    return reason_of(check_not_before({{"nbf", nbf}}, now, Presence::optional, skew));
  };
  EXPECT_EQ(not_before(now_unix_s, seconds{0}), "accepted");
  EXPECT_EQ(not_before(now_unix_s + 1, seconds{0}), "not_yet_valid");
  EXPECT_EQ(not_before(now_unix_s + 60, seconds{60}), "accepted");
  EXPECT_EQ(not_before(now_unix_s + 61, seconds{600}), "not_yet_valid");
  EXPECT_EQ(reason_of(check_not_before({}, now, Presence::optional)), "accepted");
  EXPECT_EQ(reason_of(check_not_before({}, now, Presence::required)), "missing_claim");
  EXPECT_EQ(reason_of(check_issued_at({}, now, Presence::required)), "missing_claim");
  EXPECT_EQ(reason_of(check_issued_at({{"iat", now_unix_s + 61}}, now, Presence::required)), "not_yet_valid");
  EXPECT_EQ(reason_of(check_issued_at({{"iat", 1}}, now, Presence::required)), "accepted");
}

TEST(Jwt, J14_issuer_is_exact) {
  const auto issuer = [](const json::value& iss) {
    return reason_of(check_issuer({{"iss", iss}}, "https://issuer.example"));
  };
  EXPECT_EQ(issuer("https://issuer.example"), "accepted");
  for (const char* other : {"https://issuer.example/", "https://ISSUER.example", "http://issuer.example",
                            "https://issuer.example.evil.example", " https://issuer.example"}) {
    EXPECT_EQ(issuer(other), "issuer_mismatch") << other;
  }
  EXPECT_EQ(issuer(json::array{"https://issuer.example"}), "invalid_claim");
  EXPECT_EQ(issuer(""), "invalid_claim");
  EXPECT_EQ(issuer(nullptr), "invalid_claim");
  EXPECT_EQ(reason_of(check_issuer({}, "https://issuer.example")), "missing_claim");
}

TEST(Jwt, J14_audience_is_the_string_or_a_member_of_the_array) {
  const auto audience = [](const json::value& aud) {
    return reason_of(check_audience({{"aud", aud}}, "app"));
  };
  EXPECT_EQ(audience("app"), "accepted");
  EXPECT_EQ(audience(json::array{"other", "app"}), "accepted");
  EXPECT_EQ(audience("App"), "audience_mismatch");
  EXPECT_EQ(audience("app other"), "audience_mismatch");
  EXPECT_EQ(audience("apple"), "audience_mismatch");
  EXPECT_EQ(audience(json::array{"other"}), "audience_mismatch");
  EXPECT_EQ(audience(json::array{}), "invalid_claim");
  EXPECT_EQ(audience(json::array{"app", 1}), "invalid_claim");
  EXPECT_EQ(audience(claims_of(R"({"aud":[["app"]]})").at("aud")), "invalid_claim");
  EXPECT_EQ(audience(json::object{{"app", true}}), "invalid_claim");
  EXPECT_EQ(audience(""), "invalid_claim");
  EXPECT_EQ(reason_of(check_audience({}, "app")), "missing_claim");
}

TEST(Jwt, J13_type_is_one_media_type_in_either_spelling) {
  const auto type = [](const json::value& typ) { return reason_of(check_type({{"typ", typ}}, "at+jwt")); };
  for (const char* good : {"at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"}) {
    EXPECT_EQ(type(good), "accepted") << good;
  }
  for (const char* bad :
       {"JWT", "jwt", "", "at+jwt ", "at +jwt", "logout+jwt", "dpop+jwt", "application/",
        "application/application/at+jwt", "text/at+jwt", "application/jwt", "/at+jwt", "at"}) {
    EXPECT_EQ(type(bad), "wrong_type") << bad;
  }
  EXPECT_EQ(type(nullptr), "wrong_type");
  EXPECT_EQ(type(json::array{"at+jwt"}), "wrong_type");
  EXPECT_EQ(reason_of(check_type({}, "at+jwt")), "wrong_type");
}

TEST(Jwt, J9_claims_are_one_object_without_duplicates) {
  EXPECT_EQ(reason_of(parse_claims("{}")), "accepted");
  for (const std::string_view bad : {"", "[]", "null", "\"x\"", R"({"sub":"a","sub":"b"})", "{}{}", "\xff"}) {
    EXPECT_EQ(reason_of(parse_claims(bad)), "malformed") << bad;
  }
}

}  // namespace
}  // namespace keyward::protocol::jose
