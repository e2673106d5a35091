#include "web/router.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <stdexcept>
#include <unordered_map>

#include "web/cross_site.hpp"
#include "web/endpoint/urlencoded.hpp"

namespace keyward::web {

namespace {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

constexpr std::size_t method_count = static_cast<std::size_t>(Method::other) + 1;
constexpr std::array<std::string_view, method_count> method_names{"GET",   "HEAD",   "POST",    "PUT",
                                                                  "PATCH", "DELETE", "OPTIONS", ""};

std::size_t index_of(Method method) { return static_cast<std::size_t>(method); }

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

/// The name in `{name}`; empty for a literal.
std::string_view parameter_name(std::string_view segment) {
  if (!segment.starts_with('{') || !segment.ends_with('}')) return {};
  return segment.substr(1, segment.size() - 2);
}

[[noreturn]] void misuse(const Route& route, std::string_view why) {
  throw std::logic_error("Keyward: route " + std::string{method_names.at(index_of(route.method))} + " " +
                         route.path + ": " + std::string{why});
}

void check_path(const Route& route) {
  if (!route.path.starts_with('/')) misuse(route, "the path begins with '/'");
  std::vector<std::string_view> names;
  for (const auto segment : segments_of(route.path)) {
    const auto name = parameter_name(segment);
    if (segment.empty() && route.path != "/") misuse(route, "the path has an empty segment");
    if (name.empty() && segment.find_first_of("{}%?#") != std::string_view::npos)
      misuse(route, "a segment is no segment");
    if (name.empty()) continue;
    if (std::ranges::find(names, name) != names.end()) misuse(route, "two parameters have one name");
    names.push_back(name);
  }
  for (const auto& parameter : route.path_parameters) {
    if (std::ranges::find(names, parameter.name) == names.end())
      misuse(route, "a Path<> parameter is not in the path");
  }
}

}  // namespace

/// One path: what may follow it, and the routes that end here.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::array<const Route*, method_count> routes{};
  std::vector<std::string_view> names;  // of the parameters on the way here
  std::string allow;

  [[nodiscard]] bool ends_here() const { return !allow.empty(); }
  [[nodiscard]] const Route* route_for(Method method) const {
    const auto* route = routes.at(index_of(method));
    return route == nullptr && method == Method::head ? routes.at(index_of(Method::get)) : route;
  }
  /// The strictest of the routes here counts for the path.
  [[nodiscard]] Readers readers() const {
    auto strictest = Readers::every_origin;
    for (const auto* route : routes) {
      if (route != nullptr) strictest = std::max(strictest, route->readers);
    }
    return strictest;
  }
  void add(const Route& route) {
    routes.at(index_of(route.method)) = &route;
    allow.clear();
    for (const auto method :
         {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::delete_}) {
      if (route_for(method) != nullptr) allow.append(method_names.at(index_of(method))).append(", ");
    }
    allow += "OPTIONS";
  }
};

struct Router::Table {
  std::unordered_map<std::string, const Node*, TextHash, std::equal_to<>> exact;  // paths without a parameter
  Node root;

  Node& place_of(const Route& route) {
    auto* node = &root;
    std::vector<std::string_view> names;
    for (const auto segment : segments_of(route.path)) {
      const auto name = parameter_name(segment);
      auto& next = name.empty() ? node->literals[std::string{segment}] : node->parameter;
      if (!next) next = std::make_unique<Node>();
      node = next.get();
      if (!name.empty()) names.push_back(name);
    }
    if (node->ends_here() && node->names != names) misuse(route, "its parameters have other names elsewhere");
    if (node->routes.at(index_of(route.method)) != nullptr) misuse(route, "is there already");
    if (names.empty()) exact.emplace(route.path, node);
    node->names = std::move(names);
    return *node;
  }

  const Node* find(std::string_view path, std::vector<std::string_view>& values) const {
    if (const auto found = exact.find(path); found != exact.end()) return found->second;
    // More segments than any template has match nothing; a bound on what a hostile path costs.
    constexpr std::size_t segments_max = 16;
    if (!path.starts_with('/') || static_cast<std::size_t>(std::ranges::count(path, '/')) > segments_max)
      return nullptr;
    return find_below(root, segments_of(path), values);
  }

 private:
  static const Node* find_below(const Node& node, std::span<const std::string_view> segments,
                                std::vector<std::string_view>& values) {
    if (segments.empty()) return node.ends_here() ? &node : nullptr;
    if (const auto literal = node.literals.find(segments.front()); literal != node.literals.end()) {
      if (const auto* found = find_below(*literal->second, segments.subspan(1), values)) return found;
    }
    if (!node.parameter || segments.front().empty()) return nullptr;
    values.push_back(segments.front());
    if (const auto* found = find_below(*node.parameter, segments.subspan(1), values)) return found;
    values.pop_back();
    return nullptr;
  }
};

Router::Router() : table_(std::make_unique<Table>()) {}
Router::~Router() = default;

Route& Router::insert(std::unique_ptr<Route> route) {
  check_path(*route);
  table_->place_of(*route).add(*route);
  route->number = routes_.size() + 1;
  routes_.push_back(std::move(route));
  return *routes_.back();
}

Response Router::answer_without_endpoint(const Node* node, const Request& request) const {
  if (node == nullptr)
    return to_problem({.code = ErrorCode::not_found, .message = "There is nothing here"}, request);
  if (request.method == Method::options) {
    Response response{.status = 204, .content_type = {}, .headers = {{"Allow", node->allow}}};
    cors_.answer_preflight(request, node->readers(), node->allow, response);
    return response;
  }
  auto response = to_problem(
      {.code = ErrorCode::method_not_allowed, .message = "This path takes " + node->allow}, request);
  response.headers.emplace_back("Allow", node->allow);
  return response;
}

/// With what the handler said through AnswerHeaders, and with who may read it.
void Router::complete(Response& response, Request& request, const Node* node) const {
  std::ranges::move(request.answer_headers, std::back_inserter(response.headers));
  request.answer_headers.clear();
  cors_.allow_reading(request, node == nullptr ? Readers::listed_origins : node->readers(), response);
}

void Router::dress(const Request& request, Response& response) const {
  std::vector<std::string_view> values;
  const auto* node = table_->find(request.path, values);
  cors_.allow_reading(request, node == nullptr ? Readers::listed_origins : node->readers(), response);
}

// A coroutine's frame is allocated for every request, and above 1020 bytes by malloc: so it has little in it.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
Task<Response> Router::handle(Request& request) {
  Handling handling;
  auto answer = begin(request, handling);
  if (auto* waiting = std::get_if<Task<Response>>(&answer)) {
    try {
      answer = co_await std::move(*waiting);
    } catch (const std::exception& exception) {
      auto mapped = answer_to(exception, request);
      if (!mapped) throw;
      answer = std::move(*mapped);
    }
  }
  auto& response = std::get<Response>(answer);
  if (!handling.is_preflight) complete(response, request, handling.node);
  co_return std::move(response);
}

/// Everything up to where the endpoint has to wait.
Answer Router::begin(Request& request, Handling& handling) const {
  std::vector<std::string_view> values;
  const auto* node = handling.node = table_->find(request.path, values);
  const auto* route = node == nullptr ? nullptr : node->route_for(request.method);
  if (route == nullptr) {
    auto response = answer_without_endpoint(node, request);
    handling.is_preflight = response.status == 204;
    return response;
  }
  request.route = route->number;
  request.pattern = route->path;

  if (is_refused_cross_site(request, *route, cors_, own_origin_)) {
    return to_problem({.code = ErrorCode::forbidden,
                       .message = "Pages of other sites may not ask this",
                       .private_detail = "cross_site"},
                      request);
  }

  request.path_parameters.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto decoded = decode_path_segment(values[i]);
    if (!decoded) return to_problem(decoded.error(), request);
    request.path_parameters.emplace_back(node->names[i], std::move(*decoded));
  }

  handling.context.emplace(request, *route, services_);
  try {
    return route->endpoint->start(*handling.context);
  } catch (const std::exception& exception) {
    auto mapped = answer_to(exception, request);
    if (!mapped) throw;
    return std::move(*mapped);
  }
}

/// Nothing: no answer of ours, but the engine's 500.
std::optional<Response> Router::answer_to(const std::exception& exception, const Request& request) const {
  std::optional<Error> broken;
  if (exception_map_) broken = exception_map_(exception);
  if (!broken) return std::nullopt;
  if (broken->private_detail.empty()) broken->private_detail = exception.what();
  return to_problem(*broken, request);
}

Response Router::refuse(unsigned status, std::string_view sentence, const std::string& request_id) {
  return to_problem(status, sentence, request_id);
}

}  // namespace keyward::web
