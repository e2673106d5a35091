// expect: Keyward: HasPermission<...> names a permission that is not in the catalogue
#include "access/has_permission.hpp"
#include "web/router.hpp"

namespace web = keyward::web;

struct Feature {
  keyward::Result<web::NoContent> handler(keyward::access::HasPermission<"users:fly">);
};
void routes(web::Router& router, Feature& feature) { router.post("/x", feature, &Feature::handler); }
