// Compiles: the two snippets with names out of the catalogue fail for the names.
#include "access/has_permission.hpp"
#include "web/router.hpp"

namespace web = keyward::web;

struct Feature {
  keyward::Result<web::NoContent> handler(keyward::access::HasPermission<"users:delete">);
  keyward::Result<web::NoContent> other(keyward::access::HasRole<"admin">);
};
void routes(web::Router& router, Feature& feature) {
  router.post("/x", feature, &Feature::handler);
  router.get("/x", feature, &Feature::other);
}
