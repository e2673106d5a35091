// Route: one row of the route table, with everything that OpenAPI says about it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "web/cors.hpp"
#include "web/endpoint/access.hpp"
#include "web/endpoint/context.hpp"
#include "web/endpoint/type_info.hpp"
#include "web/message.hpp"

namespace keyward::web {

/// An answer that is ready, or a coroutine that will have it. The context outlives the coroutine.
using Answer = std::variant<Response, Task<Response>>;

/// A handler with its parameter types erased.
class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  virtual ~Endpoint() = default;
  virtual Answer start(RequestContext& context) = 0;
};

/// What becomes of a member that the body has and the struct has not.
enum class Unknown : std::uint8_t { refused, ignored };

struct PathParameter {
  std::string_view name;
  const TypeInfo* type = nullptr;
};

struct Route {
  Method method = Method::get;
  std::size_t number = 0;  // among the router's, from 1
  std::string path;        // a template: /users/{user_id}
  std::unique_ptr<Endpoint> endpoint;

  SecurityRequirement security;
  std::vector<PathParameter> path_parameters;
  const TypeInfo* query = nullptr;
  const TypeInfo* body = nullptr;
  Unknown unknown = Unknown::refused;
  bool body_required = true;

  unsigned status = 200;             // of the good answer
  const TypeInfo* answer = nullptr;  // nothing: no body, or one that only the handler knows
  std::string_view media_type;       // of such a body
  bool is_page = false;              // for a person: what is refused may be HTML too
  Readers readers = Readers::listed_origins;
  bool from_other_sites = false;  // a page of another site may make somebody's browser ask this

  std::string summary;
  std::string description;
  std::string tag;
  std::vector<ErrorCode> refusals;  // that the parameters do not tell
};

/// `router.get("/me", profile, &Profile::me).summary("Who am I");`
class RouteWords {
 public:
  explicit RouteWords(Route& route) : route_(&route) {}
  RouteWords& summary(std::string text) { return route_->summary = std::move(text), *this; }
  RouteWords& description(std::string text) { return route_->description = std::move(text), *this; }
  RouteWords& tag(std::string text) { return route_->tag = std::move(text), *this; }
  /// A refusal that the handler itself makes: `.refuses(ErrorCode::conflict)`.
  RouteWords& refuses(ErrorCode code) { return route_->refusals.push_back(code), *this; }
  /// HTML that the handler makes as a raw Response; or, where a form is sent to, 303.
  RouteWords& page() {
    route_->is_page = true;
    route_->readers = Readers::no_other_origin;
    route_->tag = "Pages";
    const bool is_form = route_->method == Method::post;
    return is_form ? answers(303, {}) : answers(200, "text/html");
  }
  /// Other origins' pages: those of the setting, unless this says otherwise (S9).
  RouteWords& read_by(Readers readers) { return route_->readers = readers, *this; }
  /// Changes something, and is made for what another site's page sends (S7): it has its own proof.
  RouteWords& asked_by_other_sites() { return route_->from_other_sites = true, *this; }
  /// Of an answer that is a raw Response.
  RouteWords& answers(unsigned status, std::string_view media_type) {
    route_->status = status;
    route_->media_type = media_type;
    return *this;
  }

 private:
  Route* route_;
};

}  // namespace keyward::web
