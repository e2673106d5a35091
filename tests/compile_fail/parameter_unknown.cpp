// expect: Keyward: a handler's parameters are an access type, then Body<T>
#include "prelude.hpp"

struct Feature {
  Result<web::NoContent> handler(SignedIn, int);
};
void routes(web::Router& router, Feature& feature) { router.get("/x", feature, &Feature::handler); }
