// expect: Keyward: HasRole<...> names a role that is not built in
#include "access/has_permission.hpp"
#include "web/router.hpp"

namespace web = keyward::web;

struct Feature {
  keyward::Result<web::NoContent> handler(keyward::access::HasRole<"emperor">);
};
void routes(web::Router& router, Feature& feature) { router.post("/x", feature, &Feature::handler); }
