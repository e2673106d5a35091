#include "web/cross_site.hpp"

namespace keyward::web {

namespace {

bool may_change_something(Method method) {
  return method != Method::get && method != Method::head && method != Method::options;
}

/// The origin is the one that the request was sent to. Whether TLS ends here or at a proxy is not known here,
/// and does not matter: a page in clear of the same host is somebody who stands in the network.
bool is_own_origin(std::string_view origin, std::string_view host) {
  const auto end = origin.find("://");
  return end != std::string_view::npos && !host.empty() && origin.substr(end + 3) == host;
}

}  // namespace

bool is_refused_cross_site(const Request& request, const Route& route, const Cors& cors,
                           std::string_view own_origin) {
  if (route.from_other_sites || !may_change_something(request.method)) return false;
  const auto site = request.header("Sec-Fetch-Site");
  if (site == "same-origin" || site == "none") return false;
  const auto origin = request.header("Origin");
  if (origin && cors.lists(*origin)) return false;
  if (site) return true;  // another site's, or a sibling's that is not listed
  if (!origin) return false;
  // A browser without Fetch Metadata hides the origin of our own pages' forms too, since they send no
  // referrer.
  if (origin == "null") return !route.is_page;
  // A proxy may have written another Host.
  return *origin != own_origin && !is_own_origin(*origin, request.header("Host").value_or(""));
}

}  // namespace keyward::web
