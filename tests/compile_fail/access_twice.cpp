// expect: Keyward: a handler says who may call it once
#include "prelude.hpp"

struct Feature {
  Result<web::NoContent> handler(SignedIn, web::Public);
};
void routes(web::Router& router, Feature& feature) { router.get("/x", feature, &Feature::handler); }
