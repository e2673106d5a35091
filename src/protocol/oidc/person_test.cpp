#include "protocol/oidc/person.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "base/limits.hpp"
#include "protocol/oidc/discord.hpp"
#include "protocol/oidc/github.hpp"

namespace keyward::protocol::oidc {
namespace {

using enum VerifiedSpelling;

std::string outcome(const Checked<Person>& person) {
  if (!person) return std::string{to_word(person.error().reason)};
  return person->email_verified ? "verified" : "not verified";
}

json::object claims_with(std::string_view name, const json::value& value) {
  json::object claims{{"sub", "s"}, {"email", "ann@example.org"}};
  claims[name] = value;
  return claims;
}

TEST(Person, is_read) {
  const auto person = person_of({{"sub", "s-1"},
                                 {"email", "Ann@Example.org"},
                                 {"email_verified", true},
                                 {"name", "Ann Example"},
                                 {"hd", "example.org"},
                                 {"picture", "https://example.org/x"}},
                                json_boolean);
  ASSERT_TRUE(person);
  EXPECT_EQ(*person, (Person{.subject = "s-1",
                             .email = "Ann@Example.org",
                             .email_verified = true,
                             .name = "Ann Example",
                             .hosted_domain = "example.org"}));
  EXPECT_EQ(person_of({{"sub", "s-1"}}, json_boolean), (Person{.subject = "s-1"}));
}

TEST(Person, nobody_is_without_a_subject) {
  EXPECT_EQ(outcome(person_of({{"email", "ann@example.org"}}, json_boolean)), "missing_claim");
  EXPECT_EQ(outcome(person_of(claims_with("sub", 1), json_boolean)), "invalid_claim");
}

TEST(Person, F2_verified_is_only_what_the_definition_says) {
  struct Row {
    json::value value;
    std::string_view with_boolean, with_apple;
  };
  for (const auto& row : std::initializer_list<Row>{
           {true, "verified", "verified"},
           {false, "not verified", "not verified"},
           {nullptr, "not verified", "not verified"},
           {"true", "invalid_claim", "verified"},
           {"false", "invalid_claim", "not verified"},
           {"True", "invalid_claim", "invalid_claim"},
           {"", "invalid_claim", "invalid_claim"},
           {"1", "invalid_claim", "invalid_claim"},
           {"yes", "invalid_claim", "invalid_claim"},
           {1, "invalid_claim", "invalid_claim"},
           {0, "invalid_claim", "invalid_claim"},
           {json::array{true}, "invalid_claim", "invalid_claim"},
           {json::object{{"value", true}}, "invalid_claim", "invalid_claim"},
       }) {
    const auto claims = claims_with("email_verified", row.value);
    EXPECT_EQ(outcome(person_of(claims, json_boolean)), row.with_boolean) << json::serialize(row.value);
    EXPECT_EQ(outcome(person_of(claims, apple)), row.with_apple) << json::serialize(row.value);
    EXPECT_EQ(outcome(person_of(claims, microsoft)), "not verified") << "another claim's business";
  }
  EXPECT_EQ(outcome(person_of({{"sub", "s"}, {"email", "ann@example.org"}}, json_boolean)), "not verified");
  EXPECT_EQ(outcome(person_of({{"sub", "s"}, {"email", "ann@example.org"}}, apple)), "not verified");
}

TEST(Person, F2_microsoft_says_it_with_xms_edov) {
  struct Row {
    json::value value;
    std::string_view outcome;
  };
  for (const auto& row : std::initializer_list<Row>{{true, "verified"},
                                                    {1, "verified"},
                                                    {"1", "verified"},
                                                    {"true", "verified"},
                                                    {false, "not verified"},
                                                    {0, "not verified"},
                                                    {"0", "not verified"},
                                                    {"false", "not verified"},
                                                    {nullptr, "not verified"},
                                                    {2, "invalid_claim"},
                                                    {-1, "invalid_claim"},
                                                    {1.0, "invalid_claim"},
                                                    {"", "invalid_claim"},
                                                    {"TRUE", "invalid_claim"},
                                                    {json::array{1}, "invalid_claim"}}) {
    auto claims = claims_with("xms_edov", row.value);
    EXPECT_EQ(outcome(person_of(claims, microsoft)), row.outcome) << json::serialize(row.value);
    EXPECT_EQ(outcome(person_of(claims, json_boolean)), "not verified") << "no claim of others";
    claims["email_verified"] = true;
    EXPECT_EQ(outcome(person_of(claims, microsoft)), row.outcome) << json::serialize(row.value);
  }
  EXPECT_EQ(outcome(person_of(claims_with("email_verified", true), microsoft)), "not verified");
}

TEST(Person, F2_nothing_is_verified_without_an_address) {
  for (const json::value& email :
       {json::value(nullptr), json::value(""), json::value("ann"), json::value("a@b"),
        json::value("a@example.org\nb"), json::value("a@example.org, b@example.org"),
        json::value(std::string_view{"a\0@example.org", 14}),
        json::value(std::string(300, 'a') + "@example.org")}) {
    const auto person = person_of({{"sub", "s"}, {"email", email}, {"email_verified", true}}, json_boolean);
    ASSERT_TRUE(person);
    EXPECT_EQ(person->email, "") << json::serialize(email);
    EXPECT_FALSE(person->email_verified) << json::serialize(email);
  }
  for (const json::value& email :
       {json::value(7), json::value(true), json::value(json::array{"ann@example.org"})}) {
    EXPECT_EQ(outcome(person_of({{"sub", "s"}, {"email", email}}, json_boolean)), "invalid_claim");
  }
}

TEST(Person, a_name_is_one_line_and_cut) {
  const auto name_of = [](const json::object& more) {
    auto claims = more;
    claims["sub"] = "s";
    return person_of(claims, json_boolean).value().name;
  };
  EXPECT_EQ(name_of({{"name", "A\nB\u202e"}}), "A B");
  EXPECT_EQ(name_of({{"name", std::string(1000, 'x')}}).size(), limits::provider_text_max_bytes);
  EXPECT_EQ(name_of({{"given_name", "Ann"}, {"family_name", "Example"}}), "Ann Example");
  EXPECT_EQ(name_of({{"family_name", "Example"}}), "Example");
  EXPECT_EQ(name_of({{"name", 7}}), "");
  EXPECT_EQ(name_of({{"name", nullptr}, {"given_name", "Ann"}}), "Ann");
}

TEST(Person, a_hosted_domain_is_text) {
  EXPECT_EQ(person_of({{"sub", "s"}, {"hd", nullptr}}, json_boolean).value().hosted_domain, "");
  EXPECT_EQ(outcome(person_of({{"sub", "s"}, {"hd", true}}, json_boolean)), "invalid_claim");
  EXPECT_EQ(outcome(person_of({{"sub", "s"}, {"hd", json::array{"example.org"}}}, json_boolean)),
            "invalid_claim");
  EXPECT_EQ(outcome(person_of({{"sub", "s"}, {"hd", std::string(300, 'x')}}, json_boolean)), "invalid_claim");
}

TEST(Person, F6_userinfo_is_of_the_same_subject) {
  const auto of = [](std::string_view text) {
    return outcome(person_of_userinfo(text, "s-1", json_boolean));
  };
  EXPECT_EQ(of(R"({"sub":"s-1","email":"a@example.org","email_verified":true})"), "verified");
  EXPECT_EQ(of(R"({"sub":"s-2","email":"a@example.org","email_verified":true})"), "subject_mismatch");
  EXPECT_EQ(of(R"({"sub":"S-1"})"), "subject_mismatch");
  EXPECT_EQ(of(R"({"sub":"s-1 "})"), "subject_mismatch");
  EXPECT_EQ(of(R"({"email":"a@example.org"})"), "missing_claim");
  EXPECT_EQ(of(R"({"sub":null})"), "invalid_claim");
  EXPECT_EQ(of(R"({"sub":["s-1"]})"), "invalid_claim");
  EXPECT_EQ(of(R"({"sub":"s-2","sub":"s-1"})"), "malformed");
  EXPECT_EQ(of("eyJ.eyJ.sig"), "malformed");
  EXPECT_EQ(of("[]"), "malformed");
  EXPECT_EQ(of(""), "malformed");
  EXPECT_EQ(of("{\"sub\":\"s-1\",\"x\":\"" + std::string(limits::json_max_bytes, 'x') + "\"}"), "too_large");
  EXPECT_EQ(outcome(person_of_userinfo(R"({"sub":"s"})", "", json_boolean)), "subject_mismatch");
}

TEST(Person, F2_an_address_keeps_its_own_mark_when_two_answers_are_merged) {
  const Person bare{.subject = "s"};
  const Person verified{
      .subject = "s", .email = "a@example.org", .email_verified = true, .name = "A", .hosted_domain = "d"};
  const Person unverified{.subject = "s", .email = "a@example.org"};
  const Person other{.subject = "s", .email = "b@example.org", .name = "B"};
  const Person other_verified{.subject = "s", .email = "b@example.org", .email_verified = true};
  EXPECT_EQ(merged(bare, verified), verified);
  EXPECT_EQ(merged(verified, bare), verified);
  EXPECT_EQ(merged(bare, unverified), unverified);
  EXPECT_TRUE(merged(unverified, verified).email_verified);
  EXPECT_TRUE(merged(verified, unverified).email_verified);
  EXPECT_FALSE(merged(unverified, other_verified).email_verified);
  EXPECT_EQ(merged(unverified, other_verified).email, "a@example.org");
  EXPECT_EQ(merged(verified, other).name, "A");
  EXPECT_EQ(merged(verified, other).email, "a@example.org");
}

TEST(Person, F2_a_provider_that_contradicts_itself_has_verified_nothing) {
  const Person verified{.subject = "s", .email = "a@example.org", .email_verified = true};
  const Person denied{.subject = "s", .email = "a@example.org", .email_denied = true};
  EXPECT_FALSE(merged(denied, verified).email_verified);
  EXPECT_FALSE(merged(verified, denied).email_verified);
  EXPECT_FALSE(merged({.subject = "s"}, denied).email_verified);
}

TEST(Person, F6_nothing_is_merged_from_another_subject) {
  const Person own{.subject = "s"};
  const Person foreign{
      .subject = "t", .email = "t@example.org", .email_verified = true, .name = "T", .hosted_domain = "d"};
  EXPECT_EQ(merged(own, foreign), own);
}

TEST(Github, is_read) {
  const auto person = person_of_github(
      R"({"login":"octocat","id":583231,"node_id":"MDQ6","name":"The Octocat","email":"public@example.org"})",
      R"([{"email":"old@example.org","primary":false,"verified":true,"visibility":null},)"
      R"({"email":"octocat@example.org","primary":true,"verified":true,"visibility":"public"}])");
  ASSERT_TRUE(person) << person.error().detail;
  EXPECT_EQ(*person, (Person{.subject = "583231",
                             .email = "octocat@example.org",
                             .email_verified = true,
                             .name = "The Octocat",
                             .hosted_domain = ""}));
  EXPECT_EQ(person_of_github(R"({"login":"octocat","id":1,"name":null})", "[]"),
            (Person{.subject = "1", .name = "octocat"}));
}

TEST(Github, F2_only_the_primary_address_that_is_verified_counts) {
  const auto email = [](std::string_view emails) {
    const auto person = person_of_github(R"({"id":1,"login":"o","email":"public@example.org"})", emails);
    if (!person) return std::string{to_word(person.error().reason)};
    EXPECT_EQ(person->email_verified, !person->email.empty());
    return person->email;
  };
  EXPECT_EQ(email(""), "");
  EXPECT_EQ(email("[]"), "");
  EXPECT_EQ(email(R"([{"email":"a@example.org","primary":true,"verified":false}])"), "");
  EXPECT_EQ(email(R"([{"email":"a@example.org","primary":false,"verified":true}])"), "");
  EXPECT_EQ(email(R"([{"email":"a@example.org","primary":true,"verified":true}])"), "a@example.org");
  EXPECT_EQ(email(R"([{"email":"a@example.org","primary":true,"verified":false},)"
                  R"({"email":"b@example.org","primary":false,"verified":true}])"),
            "");
  EXPECT_EQ(email(R"([{"email":"a@example.org","primary":true,"verified":"true"}])"), "invalid_claim");
  EXPECT_EQ(email(R"([{"email":"a@example.org","primary":true}])"), "invalid_claim");
  EXPECT_EQ(email(R"([{"email":"a@example.org","primary":1,"verified":true}])"), "invalid_claim");
  EXPECT_EQ(email(R"([{"email":["a@example.org"],"primary":true,"verified":true}])"), "invalid_claim");
  EXPECT_EQ(email(R"([{"email":"a@example.org","primary":true,"verified":true},)"
                  R"({"email":"b@example.org","primary":true,"verified":true}])"),
            "invalid_claim");
  EXPECT_EQ(email(R"(["a@example.org"])"), "malformed");
  EXPECT_EQ(email(R"({"message":"Not Found"})"), "malformed");
  EXPECT_EQ(email("<html>"), "malformed");
  EXPECT_EQ(email(std::string(limits::json_max_bytes, ' ')), "malformed");
  EXPECT_EQ(email(std::string(limits::json_max_bytes + 1, ' ')), "too_large");
}

TEST(Github, F1_the_subject_is_the_number) {
  const auto subject = [](std::string_view user) {
    const auto person = person_of_github(user, "");
    return person ? person->subject : std::string{to_word(person.error().reason)};
  };
  EXPECT_EQ(subject(R"({"id":9007199254740993})"), "9007199254740993");
  EXPECT_EQ(subject(R"({"login":"octocat"})"), "missing_claim");
  for (const std::string_view id :
       {"0", "-1", "1.5", "1e3", "1.0", "\"1\"", "null", "true", "[1]", "18446744073709551615"}) {
    EXPECT_EQ(subject("{\"id\":" + std::string{id} + "}"), "invalid_claim") << id;
  }
  EXPECT_EQ(subject("[]"), "malformed");
  EXPECT_EQ(subject(R"({"id":1,"id":2})"), "malformed");
}

TEST(Discord, is_read) {
  EXPECT_EQ(person_of_discord(R"({"id":"80351110224678912","username":"nelly","global_name":"Nelly",)"
                              R"("email":"nelly@example.org","verified":true,"avatar":null})"),
            (Person{.subject = "80351110224678912",
                    .email = "nelly@example.org",
                    .email_verified = true,
                    .name = "Nelly",
                    .hosted_domain = ""}));
  EXPECT_EQ(person_of_discord(R"({"id":"1","username":"nelly","global_name":null,"email":null})"),
            (Person{.subject = "1", .name = "nelly"}));
}

TEST(Discord, F1_F2_other_types_are_refused) {
  const auto with = [](std::string_view members) {
    return outcome(person_of_discord("{" + std::string{members} + "}"));
  };
  EXPECT_EQ(with(R"("id":"1","email":"a@example.org","verified":true)"), "verified");
  EXPECT_EQ(with(R"("id":"1","email":"a@example.org","verified":false)"), "not verified");
  EXPECT_EQ(with(R"("id":"1","email":"a@example.org","verified":null)"), "not verified");
  EXPECT_EQ(with(R"("id":"1","email":"a@example.org")"), "not verified");
  EXPECT_EQ(with(R"("id":"1","verified":true)"), "not verified");
  EXPECT_EQ(with(R"("id":"1","email":"a@example.org","verified":"true")"), "invalid_claim");
  EXPECT_EQ(with(R"("id":"1","email":"a@example.org","verified":1)"), "invalid_claim");
  EXPECT_EQ(with(R"("id":"1","email":7,"verified":true)"), "invalid_claim");
  EXPECT_EQ(with(R"("username":"nelly")"), "missing_claim");
  for (const std::string_view id :
       {"1", "null", "\"\"", "\"01\"", "\"1a\"", "\"-1\"", "\"111111111111111111111\""}) {
    EXPECT_EQ(with("\"id\":" + std::string{id}), "invalid_claim") << id;
  }
  EXPECT_EQ(outcome(person_of_discord("[]")), "malformed");
}

}  // namespace
}  // namespace keyward::protocol::oidc
