// Compiles: the other snippets fail for what they say, and not for a broken prelude.
#include "prelude.hpp"

struct Feature {
  Task<Result<web::NoContent>> handler(SignedIn, web::Body<Form>);
};
void routes(web::Router& router, Feature& feature) { router.post("/x", feature, &Feature::handler); }
