#include "web/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <stdexcept>

#include "web/endpoint/test_call.hpp"

namespace keyward::web {
namespace {

/// A verifier such as src/access has: some answers it knows, some it waits for.
struct Verifier {
  bool known = true;
  int asked = 0;
};

struct Caller {
  using access_type_tag = void;
  static constexpr SecurityRequirement security{.bearer_token = true};
  std::string name;
};

struct Word {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Word, (), (text))

}  // namespace

template <>
struct Extract<Caller> {
  static std::optional<Result<Caller>> try_from(RequestContext& context) {
    if (!context.request.header("Authorization")) return fail(ErrorCode::invalid_token, "Sign in first");
    if (context.service<Verifier>().known) return Caller{"quick"};
    return std::nullopt;
  }
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
  static Task<Result<Caller>> from(RequestContext& context) {
    ++context.service<Verifier>().asked;
    co_await asio::post(co_await asio::this_coro::executor, use_task);
    if (context.request.header("Authorization") == "bad") co_return fail(ErrorCode::invalid_token, "No");
    co_return Caller{"slow"};
  }
};

namespace {

using test::ask;
using test::Call;
using test::header_of;

struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Handlers {
  int calls = 0;
  Result<Word> plain(Public) const { return Word{"plain"}; }
  Result<Word> other(Public) const { return Word{"other"}; }
  Task<Result<Word>> waiting(Public) {
    co_await asio::post(co_await asio::this_coro::executor, use_task);
    co_return Word{"waiting"};
  }
  Result<Word> user(Public, Path<"id", std::string> id) const { return Word{"user " + *id}; }
  Result<Word> user_part(Public, Path<"id", std::string> id, Path<"part", int> part) const {
    return Word{*id + " " + std::to_string(*part)};
  }
  Result<Word> write(Caller caller, Body<Word> body) {
    ++calls;
    return Word{caller.name + " " + body->text};
  }
  Task<Result<Created<Word>>> write_later(Caller caller, Body<Word> body) {
    ++calls;
    co_return Created<Word>{{caller.name + " " + body->text}, "/words/1"};
  }
  Result<NoContent> throws(Public, AnswerHeaders headers) {
    headers.add("Keyward-Word", "said before");
    throw Broken("the disk is gone");
  }
  Task<Result<NoContent>> throws_later(Public, AnswerHeaders headers) {
    headers.add("Keyward-Word", "said before");
    co_await asio::post(co_await asio::this_coro::executor, use_task);
    throw Broken("the disk is gone");
  }
  Result<SeeOther> elsewhere(Public) { return SeeOther{"/there"}; }
};

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    router.provide(verifier);
    router.get("/", handlers, &Handlers::plain);
    router.get("/plain", handlers, &Handlers::plain);
    router.get("/waiting", handlers, &Handlers::waiting);
    router.get("/users/me", handlers, &Handlers::other);
    router.get("/users/{id}", handlers, &Handlers::user);
    router.get("/users/{id}/parts/{part}", handlers, &Handlers::user_part);
    router.get("/users/me/other", handlers, &Handlers::other);
    router.post("/words", handlers, &Handlers::write);
    router.put("/words", handlers, &Handlers::write_later);
    router.get("/throws", handlers, &Handlers::throws);
    router.get("/throws_later", handlers, &Handlers::throws_later);
    router.get("/elsewhere", handlers, &Handlers::elsewhere);
  }
  Response get(std::string target, Method method = Method::get) {
    return ask(router, {method, std::move(target)});
  }

  Verifier verifier;
  Handlers handlers;
  Router router;
};

TEST_F(RouterTest, finds_the_endpoint_and_a_literal_beats_a_parameter) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"/", "plain"},
      {"/plain", "plain"},
      {"/plain?x=1", "plain"},
      {"/waiting", "waiting"},
      {"/users/me", "other"},
      {"/users/7", "user 7"},
      {"/users/7/parts/3", "7 3"},
      {"/users/me/parts/3", "me 3"},  // back from the literal, which leads nowhere here
      {"/users/me/other", "other"}};
  for (const auto& [target, text] : table)
    EXPECT_EQ(get(target).body, "{\"text\":\"" + text + "\"}") << target;
}

TEST_F(RouterTest, answers_404_for_every_other_path) {
  for (const std::string target :
       {"/nothing", "/plain/", "//plain", "/users", "/users/", "/users//", "/users/7/", "/Plain", "/%70lain",
        "plain", "*", "", "/users/7/parts", "/users/7/parts/", "/plain/../plain"}) {
    const auto response = get(target);
    EXPECT_EQ(response.status, 404U) << target;
    EXPECT_EQ(response.content_type, "application/problem+json");
  }
  EXPECT_EQ(get("/" + std::string(4000, '/')).status, 404U);
}

TEST_F(RouterTest, H3_answers_405_with_the_methods_there_are) {
  const auto response = get("/words", Method::delete_);
  EXPECT_EQ(response.status, 405U);
  EXPECT_EQ(header_of(response, "Allow"), "POST, PUT, OPTIONS");
  EXPECT_EQ(get("/plain", Method::other).status, 405U);
  EXPECT_EQ(get("/plain", Method::post).status, 405U);
}

TEST_F(RouterTest, answers_head_as_get_and_options_with_allow) {
  EXPECT_EQ(get("/plain", Method::head).status, 200U);
  EXPECT_EQ(get("/words", Method::head).status, 405U);
  const auto options = get("/users/7", Method::options);
  EXPECT_EQ(options.status, 204U);
  EXPECT_EQ(header_of(options, "Allow"), "GET, HEAD, OPTIONS");
}

TEST_F(RouterTest, Z1_access_is_checked_before_the_body_is_read) {
  for (const Method method : {Method::post, Method::put}) {
    const auto response = ask(router, {method, "/words", "{broken"});
    EXPECT_EQ(response.status, 401U);
    EXPECT_EQ(header_of(response, "WWW-Authenticate"), "Bearer");
    verifier.known = false;
    EXPECT_EQ(
        ask(router, {method, "/words", "{broken", "application/json", {{"Authorization", "bad"}}}).status,
        401U);
    EXPECT_EQ(ask(router, {method, "/words", "{broken", "application/json", {{"Authorization", "x"}}}).status,
              400U);
    verifier.known = true;
  }
  EXPECT_EQ(handlers.calls, 0);
}

TEST_F(RouterTest, an_access_type_answers_at_once_or_later) {
  const auto call = [&](Method method) {
    return ask(router, {method, "/words", R"({"text":"w"})", "application/json", {{"Authorization", "x"}}});
  };
  EXPECT_EQ(call(Method::post).body, R"({"text":"quick w"})");
  EXPECT_EQ(call(Method::put).body, R"({"text":"quick w"})");
  EXPECT_EQ(verifier.asked, 0);
  verifier.known = false;
  EXPECT_EQ(call(Method::post).body, R"({"text":"slow w"})");
  const auto created = call(Method::put);
  EXPECT_EQ(created.body, R"({"text":"slow w"})");
  EXPECT_EQ(created.status, 201U);
  EXPECT_EQ(header_of(created, "Location"), "/words/1");
  EXPECT_EQ(verifier.asked, 2);
}

TEST_F(RouterTest, S10_a_redirect_is_303) {
  const auto response = get("/elsewhere");
  EXPECT_EQ(response.status, 303U);
  EXPECT_EQ(header_of(response, "Location"), "/there");
}

TEST_F(RouterTest, exceptions_are_mapped_or_left_to_the_engine) {
  EXPECT_THROW(get("/throws"), Broken);
  EXPECT_THROW(get("/throws_later"), Broken);
  router.let_read(*Cors::parse("https://app.example"));
  router.map_exceptions([](const std::exception& exception) -> std::optional<Error> {
    if (dynamic_cast<const Broken*>(&exception) == nullptr) return std::nullopt;
    return Error{.code = ErrorCode::unavailable, .retry_after_s = 5};
  });
  for (const std::string target : {"/throws", "/throws_later"}) {
    const auto response = ask(router, {Method::get, target, {}, {}, {{"Origin", "https://app.example"}}});
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(header_of(response, "Retry-After"), "5");
    EXPECT_EQ(header_of(response, "Keyward-Word"), "said before");
    EXPECT_EQ(header_of(response, "Access-Control-Allow-Origin"), "https://app.example");
    EXPECT_THAT(response.body, testing::Not(testing::HasSubstr("disk")));
  }
}

TEST_F(RouterTest, a_missing_service_is_a_defect) {
  Router bare;
  bare.post("/words", handlers, &Handlers::write);
  EXPECT_THROW(ask(bare, {Method::post, "/words", "{}", "application/json", {{"Authorization", "x"}}}),
               std::logic_error);
}

TEST_F(RouterTest, routes_that_cannot_be_are_refused_at_start) {
  EXPECT_THROW(router.get("/plain", handlers, &Handlers::other), std::logic_error);
  EXPECT_THROW(router.get("/users/{name}", handlers, &Handlers::other), std::logic_error);
  EXPECT_THROW(router.post("/users/{name}", handlers, &Handlers::other), std::logic_error);
  EXPECT_THROW(router.get("/wrong", handlers, &Handlers::user), std::logic_error);
  for (const std::string path : {"", "plain", "/a/", "//a", "/a{b}", "/{a}/{a}", "/%41", "/a?b", "/{}"}) {
    EXPECT_THROW(router.get(path, handlers, &Handlers::plain), std::logic_error) << path;
  }
}

TEST_F(RouterTest, refuses_for_the_engine) {
  const auto response = router.refuse(413, "The body is too large", "r9");
  EXPECT_EQ(response.status, 413U);
  EXPECT_EQ(response.content_type, "application/problem+json");
}

}  // namespace
}  // namespace keyward::web
