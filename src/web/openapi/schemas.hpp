// JSON Schema (2020-12, as OpenAPI 3.1 takes it) of described types: structs and enums become named
// components.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "web/endpoint/route.hpp"
#include "web/endpoint/type_info.hpp"

namespace keyward::web::openapi {

class Schemas {
 public:
  /// The schema of a value of that type under those rules; a $ref for a named type, which becomes a
  /// component.
  boost::json::object of(const TypeInfo& type, const Rules& rules = no_rules);
  /// The same for a body: refused unknown members are `unevaluatedProperties: false`.
  boost::json::object of_body(const TypeInfo& type, Unknown unknown);
  /// Every component that was referred to.
  [[nodiscard]] boost::json::object components() const { return components_; }
  void add(std::string_view name, boost::json::object schema) { components_[name] = std::move(schema); }

 private:
  boost::json::object describe(const TypeInfo& type, const Rules& rules);
  boost::json::object describe_object(const TypeInfo& type);
  std::string name_of(const TypeInfo& type);

  boost::json::object components_;
  std::map<const TypeInfo*, std::string> names_;
};

}  // namespace keyward::web::openapi
