// Documentation: what a developer reads. `GET /openapi.json`, and a viewer for it at `GET /docs`, from the
// binary alone.
//
// Threats and answers: a viewer that calls home (it is embedded, its policy lets it connect to this origin
// only, and its online validator is off); script injection (script-src 'self'; the styles that the viewer
// sets on its elements need 'unsafe-inline' for styles); framing (frame-ancestors 'none').
#pragma once

#include <string>

#include "web/endpoint/parameters.hpp"
#include "web/openapi/document.hpp"
#include "web/router.hpp"

namespace keyward::web::openapi {

class Documentation {
 public:
  /// Adds the three routes. The router must not outlive this object.
  void add_routes(Router& router);
  /// Once, after the last route was added.
  void generate(const Info& info, const Router& router);

  Result<Response> document(Public, RawRequest request) const;
  Result<Response> page(Public, RawRequest request) const;
  Result<Response> file(Public, Path<"file", std::string> name, RawRequest request) const;

 private:
  std::string document_;
  std::string entity_tag_;
};

}  // namespace keyward::web::openapi
