#include "web/openapi/document.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <span>

#include "web/openapi/schemas.hpp"
#include "web/problem.hpp"

namespace keyward::web::openapi {

namespace {

namespace json = boost::json;

std::string_view method_name(Method method) {
  static constexpr std::array<std::string_view, 8> names{"get",   "head",   "post",    "put",
                                                         "patch", "delete", "options", ""};
  return names.at(static_cast<std::size_t>(method));
}

/// `changePassword` for POST /me/password would need words that nobody wrote: the method and the path are the
/// id.
std::string operation_id(const Route& route) {
  std::string id{method_name(route.method)};
  for (const char c : route.path) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word) {
      id += c;
    } else if (id.back() != '_') {
      id += '_';
    }
  }
  while (id.ends_with('_')) id.pop_back();
  return id;
}

json::array parameters_of(const Route& route, Schemas& schemas) {
  json::array parameters;
  // From the template, so that a parameter that only a RawRequest reads is there as well.
  for (std::size_t open = route.path.find('{'); open != std::string::npos;
       open = route.path.find('{', open + 1)) {
    const auto name = std::string_view{route.path}.substr(open + 1, route.path.find('}', open) - open - 1);
    const auto typed = std::ranges::find(route.path_parameters, name, &PathParameter::name);
    const auto& type = typed == route.path_parameters.end() ? type_info<std::string> : *typed->type;
    parameters.push_back(
        json::object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", schemas.of(type)}});
  }
  if (route.query == nullptr) return parameters;
  for (const auto& member : std::span{route.query->members, route.query->member_count}) {
    const bool optional = member.type->kind == Kind::optional || member.type->kind == Kind::patch;
    const auto& type = optional ? *member.type->element : *member.type;
    parameters.push_back(json::object{{"name", member.name},
                                      {"in", "query"},
                                      {"required", !optional && !member.rules.may_be_absent},
                                      {"schema", schemas.of(type, member.rules)}});
  }
  return parameters;
}

json::object body_of(const Route& route, Schemas& schemas) {
  const json::object media{{"schema", schemas.of_body(*route.body, route.unknown)}};
  return {
      {"required", route.body_required},
      {"content", json::object{{"application/json", media}, {"application/x-www-form-urlencoded", media}}}};
}

json::object problem(unsigned status, bool is_page) {
  json::object content{{"application/problem+json",
                        json::object{{"schema", json::object{{"$ref", "#/components/schemas/Problem"}}}}}};
  if (is_page) content["text/html"] = json::object{};
  return {{"description", title_of(status)}, {"content", std::move(content)}};
}

std::set<unsigned> refusals_of(const Route& route) {
  std::set<unsigned> statuses;
  if (route.body != nullptr) statuses.insert({400, 413, 415, 422});
  if (route.query != nullptr) statuses.insert({400, 422});
  if (route.path.contains('{')) statuses.insert({400, 404});
  if (route.security.bearer_token) statuses.insert(401);
  if (!route.security.role.empty() || !route.security.permission.empty()) statuses.insert(403);
  for (const auto code : route.refusals) statuses.insert(status_of(code));
  return statuses;
}

json::object responses_of(const Route& route, Schemas& schemas) {
  json::object good{{"description", route.status == 204   ? "Done"
                                    : route.status == 303 ? "See Location"
                                                          : "Good"}};
  if (route.answer != nullptr) {
    good["content"] = json::object{{"application/json", json::object{{"schema", schemas.of(*route.answer)}}}};
  } else if (!route.media_type.empty()) {
    good["content"] = json::object{{route.media_type, json::object{}}};
  }
  if (route.status == 303) {
    good["headers"] = json::object{{"Location", json::object{{"schema", json::object{{"type", "string"}}}}}};
  }
  json::object responses;
  responses[std::to_string(route.status)] = std::move(good);
  for (const auto status : refusals_of(route))
    responses[std::to_string(status)] = problem(status, route.is_page);
  responses["default"] = problem(500, false);
  responses["default"].as_object()["description"] = "Any other refusal";
  return responses;
}

json::array security_of(const SecurityRequirement& security) {
  if (!security.bearer_token) return {};
  json::array roles;  // OpenAPI 3.1 §4.8.30.1: names of roles that are needed, for information
  for (const auto name : {security.role, security.permission}) {
    if (!name.empty()) roles.emplace_back(json::string_view{name});
  }
  json::array ways;
  if (security.optional) ways.push_back(json::object{});
  ways.push_back(json::object{{"bearerAuth", std::move(roles)}});
  return ways;
}

json::object operation_of(const Route& route, Schemas& schemas) {
  json::object operation{{"operationId", operation_id(route)}};
  if (!route.summary.empty()) operation["summary"] = route.summary;
  if (!route.description.empty()) operation["description"] = route.description;
  if (!route.tag.empty()) operation["tags"] = json::array{json::value(route.tag)};
  operation["security"] = security_of(route.security);
  if (auto parameters = parameters_of(route, schemas); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (route.body != nullptr) operation["requestBody"] = body_of(route, schemas);
  operation["responses"] = responses_of(route, schemas);
  return operation;
}

json::object text_schema() { return {{"type", "string"}}; }

/// RFC 9457 §3, and what Keyward adds to it.
json::object problem_schema() {
  const json::object field{
      {"type", "object"},
      {"required", json::array{"field", "message"}},
      {"properties", json::object{{"field", text_schema()}, {"message", text_schema()}}}};
  return {{"type", "object"},
          {"required", json::array{"type", "title", "status", "detail"}},
          {"properties", json::object{{"type", json::object{{"type", "string"}, {"format", "uri"}}},
                                      {"title", text_schema()},
                                      {"status", json::object{{"type", "integer"}}},
                                      {"detail", text_schema()},
                                      {"request_id", text_schema()},
                                      {"errors", json::object{{"type", "array"}, {"items", field}}}}}};
}

}  // namespace

std::string make_document(const Info& info, const std::vector<std::unique_ptr<Route>>& routes) {
  Schemas schemas;
  schemas.add("Problem", problem_schema());
  json::object paths;
  for (const auto& route : routes) {
    auto& path = paths[route->path];
    if (path.is_null()) path = json::object{};
    path.as_object()[method_name(route->method)] = operation_of(*route, schemas);
  }

  json::object about{{"title", info.title}, {"version", info.version}};
  if (!info.description.empty()) about["description"] = info.description;
  json::object document{{"openapi", "3.1.0"}, {"info", std::move(about)}};
  if (!info.public_url.empty()) document["servers"] = json::array{json::object{{"url", info.public_url}}};
  document["paths"] = std::move(paths);
  document["components"] = json::object{
      {"schemas", schemas.components()},
      {"securitySchemes",
       json::object{
           {"bearerAuth", json::object{{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}}}}};
  return json::serialize(document);
}

}  // namespace keyward::web::openapi
