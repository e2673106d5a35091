#include "web/cross_site.hpp"

#include <gtest/gtest.h>

#include "web/endpoint/test_call.hpp"

namespace keyward::web {
namespace {

using test::ask;
using test::Call;

struct Handlers {
  int calls = 0;
  Result<NoContent> nothing(Public) {
    ++calls;
    return NoContent{};
  }
};

class CrossSiteTest : public ::testing::Test {
 protected:
  using Headers = decltype(Call::headers);
  CrossSiteTest() {
    for (const auto method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_})
      router.add(method, "/thing", handlers, &Handlers::nothing);
    router.post("/page", handlers, &Handlers::nothing).page();
    router.post("/callback", handlers, &Handlers::nothing).asked_by_other_sites();
    router.let_read(Cors::parse("https://app.example").value());
  }
  unsigned status_of(Headers headers, Method method = Method::post, std::string target = "/thing") {
    headers.emplace_back("Host", "id.example");
    return ask(router, Call{.method = method, .target = std::move(target), .headers = std::move(headers)})
        .status;
  }
  Handlers handlers;
  Router router;
};

TEST_F(CrossSiteTest, S7_a_page_of_another_site_changes_nothing) {
  for (const auto method : {Method::post, Method::put, Method::patch, Method::delete_}) {
    EXPECT_EQ(status_of({{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}}, method),
              403U);
    EXPECT_EQ(status_of({{"Sec-Fetch-Site", "cross-site"}}, method), 403U);
    EXPECT_EQ(status_of({{"Sec-Fetch-Site", "same-site"}, {"Origin", "https://sub.id.example"}}, method),
              403U);
    EXPECT_EQ(status_of({{"Origin", "https://evil.example"}}, method), 403U);
    EXPECT_EQ(status_of({{"Origin", "https://id.example.evil.example"}}, method), 403U);
    EXPECT_EQ(status_of({{"Origin", "null"}}, method), 403U);
    EXPECT_EQ(status_of({{"Sec-Fetch-Site", "cross-site"}, {"Origin", "null"}}, method), 403U);
    EXPECT_EQ(status_of({{"Sec-Fetch-Site", "invented"}}, method), 403U);
  }
  EXPECT_EQ(handlers.calls, 0);
}

TEST_F(CrossSiteTest, S7_our_own_pages_listed_applications_and_programs_may) {
  EXPECT_EQ(status_of({}), 204U);
  EXPECT_EQ(status_of({{"Sec-Fetch-Site", "same-origin"}, {"Origin", "null"}}), 204U);
  EXPECT_EQ(status_of({{"Sec-Fetch-Site", "none"}}), 204U);
  EXPECT_EQ(status_of({{"Origin", "https://id.example"}}), 204U);
  EXPECT_EQ(status_of({{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://app.example"}}), 204U);
  EXPECT_EQ(status_of({{"Origin", "https://app.example"}}), 204U);
}

TEST_F(CrossSiteTest, S7_our_own_pages_are_known_behind_a_proxy_that_writes_another_host) {
  const Headers from_our_page{{"Origin", "https://public.example"}};
  EXPECT_EQ(status_of(from_our_page), 403U);
  router.is_reached_at("https://public.example");
  EXPECT_EQ(status_of(from_our_page), 204U);
  EXPECT_EQ(status_of({{"Origin", "https://public.example.evil"}}), 403U);
}

TEST_F(CrossSiteTest, S7_what_changes_nothing_is_not_asked_for_its_site) {
  EXPECT_EQ(status_of({{"Sec-Fetch-Site", "cross-site"}}, Method::get), 204U);
  EXPECT_EQ(status_of({{"Sec-Fetch-Site", "cross-site"}}, Method::head), 204U);
}

TEST_F(CrossSiteTest, S7_a_page_that_sends_no_referrer_may_send_its_form_from_an_old_browser) {
  EXPECT_EQ(status_of({{"Origin", "null"}}, Method::post, "/page"), 204U);
  EXPECT_EQ(status_of({{"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}}, Method::post, "/page"), 403U);
  EXPECT_EQ(status_of({{"Origin", "https://evil.example"}}, Method::post, "/page"), 403U);
}

TEST_F(CrossSiteTest, a_route_that_is_made_for_it_is_asked_by_other_sites) {
  EXPECT_EQ(status_of({{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://op.example"}}, Method::post,
                      "/callback"),
            204U);
}

}  // namespace
}  // namespace keyward::web
