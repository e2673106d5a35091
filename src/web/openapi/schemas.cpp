#include "web/openapi/schemas.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <limits>
#include <span>
#include <stdexcept>
#include <utility>

namespace keyward::web::openapi {

namespace {

namespace json = boost::json;

template <class Number>
constexpr Number lowest = std::numeric_limits<Number>::min();
template <class Number>
constexpr Number highest = std::numeric_limits<Number>::max();

void add_text_rules(const Rules& rules, json::object& schema) {
  if (rules.min_code_points != 0) schema["minLength"] = rules.min_code_points;
  if (rules.max_code_points != highest<std::size_t>) schema["maxLength"] = rules.max_code_points;
  if (!rules.format.empty()) schema["format"] = rules.format;
}

void add_words(const Rules& rules, json::object& schema) {
  if (!rules.description.empty()) schema["description"] = rules.description;
  if (!rules.example.empty()) schema["examples"] = json::array{json::string_view{rules.example}};
  if (rules.write_only) schema["writeOnly"] = true;
}

/// `{"type": "string"}` becomes `{"type": ["string", "null"]}`; a $ref `{"anyOf": [$ref, {"type": "null"}]}`.
json::object or_null(json::object schema) {
  const auto* type = schema.if_contains("type");
  if (type != nullptr && type->is_string() && !schema.contains("enum")) {
    schema["type"] = json::array{json::value(*type), "null"};
    return schema;
  }
  return json::object{{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
}

bool may_be_absent(const MemberInfo& member) {
  return member.type->kind == Kind::optional || member.type->kind == Kind::patch ||
         member.rules.may_be_absent;
}

}  // namespace

json::object Schemas::of(const TypeInfo& type, const Rules& rules) {
  auto schema = describe(type, rules);
  add_words(rules, schema);
  return schema;
}

json::object Schemas::of_body(const TypeInfo& type, Unknown unknown) {
  auto schema = of(type);
  if (unknown == Unknown::refused) schema["unevaluatedProperties"] = false;
  return schema;
}

json::object Schemas::describe(const TypeInfo& type, const Rules& rules) {
  switch (type.kind) {
    case Kind::text:
    case Kind::text_view: {
      json::object schema{{"type", "string"}};
      add_text_rules(rules, schema);
      return schema;
    }
    case Kind::secret: {
      json::object schema{{"type", "string"}, {"format", "password"}};
      add_text_rules(rules, schema);
      return schema;
    }
    case Kind::boolean:
      return {{"type", "boolean"}};
    case Kind::number:
      return {{"type", "number"}};
    case Kind::uuid:
      return {{"type", "string"}, {"format", "uuid"}};
    case Kind::time:
      return {{"type", "string"}, {"format", "date-time"}};
    case Kind::json:
      return {};
    case Kind::integer: {
      json::object schema{{"type", "integer"}};
      const auto minimum = std::max(type.minimum, rules.minimum);
      const auto maximum = std::min(type.maximum, rules.maximum);
      if (minimum != lowest<std::int64_t>) schema["minimum"] = minimum;
      if (maximum != highest<std::int64_t>) schema["maximum"] = maximum;
      return schema;
    }
    case Kind::optional:
    case Kind::patch:
      return or_null(describe(*type.element, rules));
    case Kind::list:
      return {{"type", "array"}, {"items", describe(*type.element, rules)}};
    case Kind::enumeration:
    case Kind::object:
      return {{"$ref", "#/components/schemas/" + name_of(type)}};
  }
  std::unreachable();
}

json::object Schemas::describe_object(const TypeInfo& type) {
  json::object properties;
  json::array required;
  for (const auto& member : std::span{type.members, type.member_count}) {
    properties[member.name] = of(*member.type, member.rules);
    if (!may_be_absent(member)) required.emplace_back(json::string_view{member.name});
  }
  json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

/// `keyward::login::Form` is LoginForm when another Form is there already; else Form.
std::string Schemas::name_of(const TypeInfo& type) {
  if (const auto known = names_.find(&type); known != names_.end()) return known->second;
  std::string name;
  for (auto rest = type.name; name.empty() || components_.contains(name);) {
    if (rest.empty()) throw std::logic_error("Keyward: two schemas are named " + name);
    // A template's arguments are parts of its name: Page<keyward::users::User> is UserPage.
    const auto arguments = rest.find('<');
    const auto split = rest.substr(0, arguments).rfind("::");
    auto part = std::string{split == std::string_view::npos ? rest : rest.substr(split + 2)};
    if (const auto open = part.find('<'); open != std::string::npos) {
      auto inner = part.substr(open + 1, part.size() - open - 2);
      if (const auto scope = inner.rfind("::"); scope != std::string::npos) inner = inner.substr(scope + 2);
      inner.append(part, 0, open);
      part = std::move(inner);
    }
    std::erase_if(part, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; });
    if (!part.empty())
      part.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(part.front())));
    name.insert(0, part);
    rest = split == std::string_view::npos ? std::string_view{} : rest.substr(0, split);
  }
  names_.emplace(&type, name);
  components_[name] = json::object{};  // taken, before a type that refers to itself asks again
  json::object schema;
  if (type.kind == Kind::enumeration) {
    json::array names;
    for (const auto value : std::span{type.names, type.name_count})
      names.emplace_back(json::string_view{value});
    schema = json::object{{"type", "string"}, {"enum", std::move(names)}};
  } else {
    schema = describe_object(type);
  }
  components_[name] = std::move(schema);
  return name;
}

}  // namespace keyward::web::openapi
