// expect: Keyward: a handler says who may call it: its first parameter is an access type
#include "prelude.hpp"

struct Feature {
  Result<web::NoContent> handler() const;
};
void routes(web::Router& router, Feature& feature) { router.get("/x", feature, &Feature::handler); }
