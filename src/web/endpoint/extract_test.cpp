// What a handler's parameters make of requests, hostile ones first.
#include "web/endpoint/extract.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "web/endpoint/test_call.hpp"

namespace keyward::web {
namespace {

using test::ask;
using test::Call;
using testing::HasSubstr;
using testing::Not;

enum class Color : std::uint8_t { red, green };
BOOST_DESCRIBE_ENUM(Color, red, green)

struct Address {
  std::string city;
  std::optional<std::uint16_t> number;
};
BOOST_DESCRIBE_STRUCT(Address, (), (city, number))

struct Everything {
  std::string name;
  bool flag = false;
  std::int8_t small = 0;
  std::uint64_t big = 0;
  double ratio = 0;
  Uuid id;
  Time at;
  Color color = Color::red;
  std::vector<std::string> roles;
  Address address;
  std::optional<std::string> nickname;
  Field<std::string> title;
  int limit = 20;

  static constexpr auto checks() {
    return fields(field(&Everything::name, MinCodePoints{2}, MaxCodePoints{4}, NoControlCharacters{}),
                  field(&Everything::roles, MaxItems{2}, MinCodePoints{1}),
                  field(&Everything::limit, MayBeAbsent{}, Minimum{1}, Maximum{100}));
  }
};
BOOST_DESCRIBE_STRUCT(Everything, (),
                      (name, flag, small, big, ratio, id, at, color, roles, address, nickname, title, limit))

constexpr std::string_view good =
    R"({"name":"Ann","flag":true,"small":-128,"big":7,"ratio":0.5,"id":)"
    R"("0193a5f0-0000-7000-8000-000000000001","at":"2026-11-23T08:50:42Z","color":"green",)"
    R"("roles":["a","b"],"address":{"city":"Ulm","number":9}})";

struct Login {
  std::string email;
  Secret password;
  static constexpr auto checks() {
    return fields(field(&Login::email, Email{}),
                  field(&Login::password, MinCodePoints{8}, MaxCodePoints{256}));
  }
};
BOOST_DESCRIBE_STRUCT(Login, (), (email, password))

struct Search {
  std::optional<std::string> q;
  int limit = 20;
  std::optional<bool> disabled;
  static constexpr auto checks() {
    return fields(field(&Search::limit, MayBeAbsent{}, Minimum{1}, Maximum{100}));
  }
};
BOOST_DESCRIBE_STRUCT(Search, (), (q, limit, disabled))

struct Told {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Told, (), (text))

struct Handlers {
  std::string password;  // what the last login was given
  int calls = 0;

  Result<Everything> everything(Public, Body<Everything> body) { return std::move(*body); }
  Task<Result<NoContent>> login(Public, Body<Login> form) {
    ++calls;
    password = form->password.text();
    co_return NoContent{};
  }
  Result<Told> maybe(Public, OptionalBody<Login> form) { return Told{std::string{form->password.text()}}; }
  Result<void> lenient_login(Public, Body<Login, Unknown::ignored>) { return {}; }
  Result<Told> search(Public, Query<Search> query) {
    return Told{query->q.value_or("-") + " " + std::to_string(query->limit) +
                (query->disabled == true ? " disabled" : "")};
  }
  Result<Told> lenient_search(Public, Query<Search, Unknown::ignored> query) {
    return Told{query->q.value_or("-")};
  }
  Result<Told> user(Public, Path<"id", Uuid> id, Client client) {
    return Told{id->to_string() + " " + client.address};
  }
  Result<Told> named(Public, Path<"name", std::string> name) { return Told{*name}; }
};

class Extraction : public testing::Test {
 protected:
  Extraction() {
    router.post("/everything", handlers, &Handlers::everything);
    router.post("/login", handlers, &Handlers::login);
    router.post("/maybe", handlers, &Handlers::maybe);
    router.post("/lenient", handlers, &Handlers::lenient_login);
    router.get("/search", handlers, &Handlers::search);
    router.get("/lenient", handlers, &Handlers::lenient_search);
    router.get("/users/{id}", handlers, &Handlers::user);
    router.get("/roles/{name}", handlers, &Handlers::named);
  }
  Response post(std::string target, std::string body, std::string content_type = "application/json") {
    return ask(router, {Method::post, std::move(target), std::move(body), std::move(content_type)});
  }
  Response get(std::string target) { return ask(router, {Method::get, std::move(target)}); }
  /// `errors` as "field: message" lines.
  static std::vector<std::string> errors_in(const Response& response) {
    std::vector<std::string> lines;
    for (const auto& error : boost::json::parse(response.body).at("errors").as_array()) {
      lines.push_back(std::string{error.at("field").as_string()} + ": " +
                      std::string{error.at("message").as_string()});
    }
    return lines;
  }
  std::string with(std::string_view member, std::string_view json) {
    auto value = boost::json::parse(good);
    value.as_object()[member] = boost::json::parse(json);
    return boost::json::serialize(value);
  }

  Handlers handlers;
  Router router;
};

TEST_F(Extraction, every_type_goes_in_and_comes_out) {
  const auto response = post("/everything", std::string{good});
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(
      response.body,
      R"({"name":"Ann","flag":true,"small":-128,"big":7,"ratio":0.5,)"
      R"("id":"0193a5f0-0000-7000-8000-000000000001","at":"2026-11-23T08:50:42Z","color":"green",)"
      R"("roles":["a","b"],"address":{"city":"Ulm","number":9},"nickname":null,"title":null,"limit":20})");
}

TEST_F(Extraction, an_optional_body_may_be_left_out_and_is_checked_when_it_is_there) {
  EXPECT_EQ(post("/maybe", "", "").body, R"({"text":""})");
  EXPECT_EQ(post("/maybe", "").status, 200U);
  EXPECT_EQ(post("/maybe", R"({"email":"ann@example.com","password":"violet 9"})").body,
            R"({"text":"violet 9"})");
  EXPECT_EQ(post("/maybe", "{").status, 400U);
  EXPECT_EQ(post("/maybe", R"({"other":1})").status, 422U);
  EXPECT_EQ(post("/maybe", "x", "text/plain").status, 415U);
}

TEST_F(Extraction, every_bad_field_is_named_at_once) {
  const auto response =
      post("/everything", R"({"name":"A","flag":"true","small":128,"big":-1,"ratio":"x","id":"no",)"
                          R"("at":"yesterday","color":"blue","roles":["a","",5],"address":{"number":70000},)"
                          R"("nickname":5,"title":[],"limit":0})");
  EXPECT_EQ(response.status, 422U);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_THAT(
      errors_in(response),
      testing::ElementsAre(
          "name: must be at least 2 characters", "flag: must be true or false",
          "small: must be between -128 and 127", "big: must be between 0 and 9223372036854775807",
          "ratio: must be a number", "id: must be a UUID", "at: must be a time such as 2026-11-23T08:50:42Z",
          "color: must be one of red, green", "roles: must have at most 2 items", "address.city: is required",
          "address.number: must be between 0 and 65535", "nickname: must be a string",
          "title: must be a string", "limit: must be between 1 and 100"));
}

TEST_F(Extraction, each_rule_says_what_is_wrong) {
  const std::vector<std::tuple<std::string, std::string, std::string>> cases{
      {"name", R"("Annabel")", "name: must be at most 4 characters"},
      {"name", R"("A\u0007b")", "name: must not contain control characters"},
      {"name", R"("A\u0000b")", "name: must not contain NUL"},
      {"name", "null", "name: must not be null"},
      {"name", "{}", "name: must be a string"},
      {"small", "1.5", "small: must be a whole number"},
      {"small", "1e2", "small: must be a whole number"},
      {"small", R"("1")", "small: must be a whole number"},
      {"big", "18446744073709551616", "big: must be a whole number"},
      {"big", "18446744073709551615", "big: must be between 0 and 9223372036854775807"},
      {"roles", R"(["a",""])", "roles[1]: must not be empty"},
      {"roles", R"([["a"]])", "roles[0]: must be a string"},
      {"roles", R"({"0":"a"})", "roles: must be a list"},
      {"address", R"([])", "address: must be an object"},
      {"address", R"({"city":"Ulm","zip":1})", "address.zip: is not known here"},
      {"__proto__", R"({})", "__proto__: is not known here"},
  };
  for (const auto& [member, json, expected] : cases) {
    const auto response = post("/everything", with(member, json));
    EXPECT_EQ(response.status, 422U) << json;
    EXPECT_THAT(errors_in(response), testing::ElementsAre(expected)) << json;
  }
}

TEST_F(Extraction, lengths_are_counted_in_code_points) {
  EXPECT_EQ(post("/everything", with("name", "\"😀😀😀😀\"")).status, 200U);
  EXPECT_EQ(post("/everything", with("name", "\"😀😀😀😀😀\"")).status, 422U);
}

TEST_F(Extraction, a_patch_field_tells_absent_from_null) {
  Everything to;
  const auto decode_title = [&](std::string_view json) {
    auto value = boost::json::parse(good);
    if (!json.empty()) value.as_object()["title"] = boost::json::parse(json);
    Call call{Method::post, "/", boost::json::serialize(value)};
    Request request;
    const std::vector<Header> headers{{"Content-Type", "application/json"}};
    request.headers = headers;
    request.body = call.body;
    to = {};
    return read_body(type_info<Everything>, Unknown::refused, &to, request).has_value();
  };
  EXPECT_TRUE(decode_title("") && to.title.absent() && !to.title.is_null());
  EXPECT_TRUE(decode_title("null") && to.title.is_null() && !to.title.absent());
  EXPECT_TRUE(decode_title("\"Dr\"") && to.title.has_value() && *to.title == "Dr");
}

TEST_F(Extraction, Z2_unknown_members_are_refused_or_have_no_effect) {
  const std::string body = R"({"email":"a@example.com","password":"correct horse","role":"admin","id":1})";
  const auto refused = post("/login", body);
  EXPECT_EQ(refused.status, 422U);
  EXPECT_THAT(errors_in(refused),
              testing::UnorderedElementsAre("role: is not known here", "id: is not known here"));
  EXPECT_EQ(handlers.calls, 0);
  EXPECT_EQ(post("/lenient", body).status, 204U);
}

TEST_F(Extraction, json_and_form_are_the_same_input) {
  EXPECT_EQ(post("/login", R"({"email":"a@example.com","password":"p\u00e4ss word+"})").status, 204U);
  EXPECT_EQ(handlers.password, "päss word+");
  EXPECT_EQ(
      post("/login", "email=a%40example.com&password=p%C3%A4ss+word%2B", "application/x-www-form-urlencoded")
          .status,
      204U);
  EXPECT_EQ(handlers.password, "päss word+");
}

TEST_F(Extraction, L2_a_password_is_never_echoed) {
  for (const std::string_view body :
       {R"({"email":"hunter2","password":"hunter2"})", R"({"email":1,"password":"hunter2"})",
        R"({"email":"a@b.example","password":"hunter2")"}) {
    const auto response = post("/login", std::string{body});
    EXPECT_GE(response.status, 400U);
    EXPECT_THAT(response.body, Not(HasSubstr("hunter2")));
  }
}

TEST_F(Extraction, L2_a_body_with_a_secret_is_wiped_after_reading) {
  for (const std::string_view body :
       {R"({"email":"a@example.com","password":"correct horse"})",
        R"({"email":"a@example.com","password":"correct horse)", R"({"password":5})"}) {
    Call call{Method::post, "/login", std::string{body}};
    call.body.reserve(256);
    const char* bytes = call.body.data();
    const auto size = call.body.size();
    ask(router, call);
    EXPECT_TRUE(call.body.empty());
    EXPECT_EQ(std::count(bytes, bytes + size, '\0'), static_cast<std::ptrdiff_t>(size));
  }
}

TEST_F(Extraction, malformed_bodies_are_400) {
  for (const std::string body :
       {"", "{", "[]", "\"x\"", "null", "{\"email\":1,\"email\":2}", "{\"email\":\"\\ud800\"}",
        "{\"email\":\"\xff\"}", "{}{}", "{\"email\":\"a\" \"b\"}"}) {
    const auto response = post("/login", body);
    EXPECT_EQ(response.status, 400U) << body;
    EXPECT_EQ(response.content_type, "application/problem+json");
  }
  EXPECT_EQ(post("/login", std::string(60'000, '[')).status, 400U);
  for (const std::string form :
       {"", "email=a&email=b", "email=%", "email=%4", "email=%zz", "email=%ff", "email=%ED%A0%80", "%ff=1"}) {
    EXPECT_EQ(post("/login", form, "application/x-www-form-urlencoded").status, 400U) << form;
  }
  std::string many;
  for (std::size_t i = 0; i <= limits::http_query_parameters_max; ++i)
    many += "p" + std::to_string(i) + "=1&";
  EXPECT_EQ(post("/lenient", many, "application/x-www-form-urlencoded").status, 400U);
  EXPECT_EQ(post("/login", "email=a%40example.com&password=12345678%00", "application/x-www-form-urlencoded")
                .status,
            422U);
}

TEST_F(Extraction, P4_a_password_of_a_mebibyte_is_refused_before_any_handler) {
  const auto response =
      post("/login", R"({"email":"a@example.com","password":")" + std::string(1 << 20, 'a') + R"("})");
  EXPECT_EQ(response.status, 413U);
  const auto smaller =
      post("/login", R"({"email":"a@example.com","password":")" + std::string(50'000, 'a') + R"("})");
  EXPECT_THAT(errors_in(smaller), testing::ElementsAre("password: must be at most 256 characters"));
  EXPECT_EQ(handlers.calls, 0);
}

TEST_F(Extraction, S7_only_json_and_forms_are_read) {
  const std::string body = R"({"email":"a@example.com","password":"correct horse"})";
  for (const std::string type :
       {"", "text/plain", "application/jsonx", "application/json; charset=latin1", "text/json",
        "multipart/form-data; boundary=x", "application/json, text/plain", "json",
        "application/json; charset=utf-8; x=1", "text/plain; application/json"}) {
    EXPECT_EQ(post("/login", body, type).status, 415U) << type;
  }
  for (const std::string type : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                                 "application/json;charset=\"UTF-8\"", "application/json;"}) {
    EXPECT_EQ(post("/login", body, type).status, 204U) << type;
  }
  EXPECT_EQ(ask(router, {Method::post, "/login", body, "application/json", {{"Content-Type", "text/plain"}}})
                .status,
            400U);
  EXPECT_EQ(
      ask(router, {Method::post, "/login", body, "application/json", {{"Content-Encoding", "gzip"}}}).status,
      415U);
}

TEST_F(Extraction, many_unknown_members_do_not_make_a_large_answer) {
  std::string body = "{";
  for (int i = 0; i < 5000; ++i)
    body += "\"" + std::string(i % 2 == 0 ? 5 : 500, 'x') + std::to_string(i) + "\":1,";
  body.back() = '}';
  const auto response = post("/login", body.substr(0, 200'000).append("\":1}"));
  EXPECT_LT(response.body.size(), 8192U);
}

TEST_F(Extraction, a_query_is_typed_and_strict) {
  EXPECT_EQ(get("/search").body, R"({"text":"- 20"})");
  EXPECT_EQ(get("/search?q=a%20b+c&limit=5&disabled=true").body, R"({"text":"a b c 5 disabled"})");
  EXPECT_EQ(errors_in(get("/search?limit=0&disabled=1&order=x")),
            (std::vector<std::string>{"limit: must be between 1 and 100", "disabled: must be true or false",
                                      "order: is not known here"}));
  EXPECT_EQ(get("/search?limit=5x").status, 422U);
  EXPECT_EQ(get("/search?limit=99999999999999999999").status, 422U);
  EXPECT_EQ(get("/search?limit=1&limit=2").status, 400U);
  EXPECT_EQ(get("/search?q=%F0%28").status, 400U);
  EXPECT_EQ(get("/lenient?utm_source=x&q=a&order=1").body, R"({"text":"a"})");
  EXPECT_EQ(get("/lenient?q=a&q=b").status, 400U);
}

TEST_F(Extraction, path_parameters_are_typed) {
  EXPECT_EQ(get("/users/0193a5f0-0000-7000-8000-000000000001").body,
            R"({"text":"0193a5f0-0000-7000-8000-000000000001 192.0.2.1"})");
  EXPECT_EQ(get("/users/42").status, 404U);
  EXPECT_EQ(get("/roles/a%2Fb%20%C3%A9").body, R"({"text":"a/b é"})");
  for (const std::string path : {"/roles/%", "/roles/%2", "/roles/%zz", "/roles/%ff", "/roles/a%00"}) {
    EXPECT_EQ(get(path).status, 400U) << path;
  }
}

struct Heading {
  Result<NoContent> answer(Public, Query<Search> query, AnswerHeaders headers) const {
    headers.set("RateLimit", "first");
    headers.set("RateLimit", "second");
    if (query->q == "broken") throw std::runtime_error{"broken"};
    if (query->q) return fail(ErrorCode::forbidden, "No");
    return NoContent{};
  }
};

TEST(AnswerHeaders, are_on_the_answer_whatever_it_is_and_the_last_value_counts) {
  Heading heading;
  Router router;
  router.get("/heading", heading, &Heading::answer);
  router.map_exceptions(
      [](const std::exception&) { return Error{.code = ErrorCode::unavailable, .message = "Later"}; });
  for (const auto& [target, status] :
       {std::pair{"/heading", 204U}, {"/heading?q=x", 403U}, {"/heading?q=broken", 503U}}) {
    const auto response = ask(router, {Method::get, target});
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(test::header_of(response, "RateLimit"), "second");
    EXPECT_EQ(
        std::ranges::count(response.headers, "RateLimit", &std::pair<std::string_view, std::string>::first),
        1);
  }
}

}  // namespace
}  // namespace keyward::web
