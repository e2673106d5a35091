// expect: Keyward: this type cannot be read from or written as JSON
#include "prelude.hpp"

struct Undescribed {};
struct Feature {
  Result<web::NoContent> handler(SignedIn, web::Body<Undescribed>);
};
void routes(web::Router& router, Feature& feature) { router.post("/x", feature, &Feature::handler); }
