// expect: Keyward: a handler says who may call it: its first parameter is an access type
#include "prelude.hpp"

struct Feature {
  Result<web::NoContent> handler(web::Body<Form>, SignedIn);
};
void routes(web::Router& router, Feature& feature) { router.post("/x", feature, &Feature::handler); }
