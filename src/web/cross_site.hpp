// Cross-site requests: no page of another site changes anything here through its visitors' browsers (S7).
//
// Fetch Metadata (W3C) and the header Origin (RFC 6454, Fetch Standard §3.1): browsers set both, and pages
// cannot choose them. A request that may change something (all but GET, HEAD and OPTIONS) is refused when its
// browser says that another site's page made it, unless that page's origin is listed for CORS. Programs that
// are no browsers send neither header and are not asked.
//
// Threats: a form or fetch of any page in the victim's browser (login CSRF, a cookie that comes along) · a
// page of a sibling subdomain (same-site is not same-origin: it must be listed) · `Origin: null` of a
// sandboxed frame.
#pragma once

#include "web/cors.hpp"
#include "web/endpoint/route.hpp"
#include "web/message.hpp"

namespace keyward::web {

/// `own_origin`: of the public URL. The Host that the request was sent to counts as well.
[[nodiscard]] bool is_refused_cross_site(const Request& request, const Route& route, const Cors& cors,
                                         std::string_view own_origin);

}  // namespace keyward::web
