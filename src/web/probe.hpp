// A probe: one plain GET, for `keyward healthcheck` against a server on this machine. Over TLS it does not
// ask whose certificate it is: it has nothing to lose, and the name is not this machine's.
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace keyward::web {

/// The status that `url` (`http[s]://HOST[:PORT]`) gives for `path`. Errors: invalid_input (not such a URL),
/// unavailable (nothing answers within five seconds).
Result<unsigned> blocking_probe(std::string_view url, std::string_view path);

}  // namespace keyward::web
