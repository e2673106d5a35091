// Router: the route table. It finds the endpoint of a request, answers what no endpoint answers (404, 405,
// OPTIONS), and is the Handler that the engine asks.
//
// A path template has segments that are literal or a `{name}`; a literal beats a name. A trailing slash is
// another path, and so is a percent-encoded letter. HEAD is answered as GET (the engine sends no body),
// OPTIONS with Allow. What other origins' pages may read is web/cors.hpp's; each answer gets its headers
// here.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "web/cors.hpp"
#include "web/endpoint/context.hpp"
#include "web/endpoint/route.hpp"
#include "web/endpoint/typed_endpoint.hpp"
#include "web/engine/server.hpp"
#include "web/message.hpp"

namespace keyward::web {

class Router final : public Handler {
 public:
  /// What an exception means to a client; nothing: it is a 500, which the engine answers.
  using ExceptionMap = std::function<std::optional<Error>(const std::exception&)>;

  Router();
  ~Router() override;

  /// `router.get("/me", profile, &Profile::me)`: the object outlives the router. Throws logic_error for a
  /// route that cannot be: a path that is none or is taken, a Path<> parameter that the path lacks.
  template <class Object, class HandlerPointer>
  RouteWords add(Method method, std::string path, Object& object, HandlerPointer handler) {
    auto route = std::make_unique<Route>();
    route->method = method;
    route->path = std::move(path);
    detail::bind_handler(*route, object, handler);
    return RouteWords{insert(std::move(route))};
  }
  template <class Object, class HandlerPointer>
  RouteWords get(std::string path, Object& object, HandlerPointer handler) {
    return add(Method::get, std::move(path), object, handler);
  }
  template <class Object, class HandlerPointer>
  RouteWords post(std::string path, Object& object, HandlerPointer handler) {
    return add(Method::post, std::move(path), object, handler);
  }
  template <class Object, class HandlerPointer>
  RouteWords put(std::string path, Object& object, HandlerPointer handler) {
    return add(Method::put, std::move(path), object, handler);
  }
  template <class Object, class HandlerPointer>
  RouteWords patch(std::string path, Object& object, HandlerPointer handler) {
    return add(Method::patch, std::move(path), object, handler);
  }
  template <class Object, class HandlerPointer>
  RouteWords del(std::string path, Object& object, HandlerPointer handler) {
    return add(Method::delete_, std::move(path), object, handler);
  }

  /// What extractors find by type: see Services.
  template <class S>
  void provide(S& service) {
    services_.provide<S>(service);
  }
  void let_read(Cors cors) { cors_ = std::move(cors); }
  /// What browsers call us: pages of this origin are ours (S7).
  void is_reached_at(std::string origin) { own_origin_ = std::move(origin); }
  void map_exceptions(ExceptionMap map) { exception_map_ = std::move(map); }

  /// In the order they were added. They stand still: what points at one stays good.
  [[nodiscard]] const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

  Task<Response> handle(Request& request) override;
  [[nodiscard]] std::size_t route_count() const override { return routes_.size(); }
  Response refuse(unsigned status, std::string_view sentence, const std::string& request_id) override;
  void dress(const Request& request, Response& response) const override;

 private:
  struct Node;
  struct Table;
  struct Handling {
    const Node* node = nullptr;  // none: no path of ours
    bool is_preflight = false;   // or another question by OPTIONS: Cors has answered it whole
    std::optional<RequestContext> context;
  };

  Route& insert(std::unique_ptr<Route> route);
  Response answer_without_endpoint(const Node* node, const Request& request) const;
  Answer begin(Request& request, Handling& handling) const;
  std::optional<Response> answer_to(const std::exception& exception, const Request& request) const;
  void complete(Response& response, Request& request, const Node* node) const;

  Services services_;
  Cors cors_;
  std::string own_origin_;
  ExceptionMap exception_map_;
  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Table> table_;
};

}  // namespace keyward::web
