// The OpenAPI 3.1 document of the route table: made once at start, from the same descriptions that requests
// are read by.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "web/endpoint/route.hpp"

namespace keyward::web::openapi {

struct Info {
  std::string title = "Keyward";
  std::string version;
  std::string description;
  std::string public_url;  // the one server; left out when empty
};

/// JSON. Throws logic_error when two types would get one schema name.
std::string make_document(const Info& info, const std::vector<std::unique_ptr<Route>>& routes);

}  // namespace keyward::web::openapi
