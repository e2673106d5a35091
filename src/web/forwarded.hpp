// The header Forwarded (RFC 7239 §4): what each of its elements says in `for`.
//
// Threat: a value that this side reads in another way than the proxy that wrote it, so that a client's words
// pass for the proxy's. Answer: the whole line must follow the grammar, quotes and all; one that does not
// says nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/ip_address.hpp"

namespace keyward::web {

/// The nodes that the last `max` elements of a line name, from left to right and without quotes; an element
/// without `for` names "". Nothing for a line that is no Forwarded.
std::optional<std::vector<std::string>> read_forwarded(std::string_view line, std::size_t max);

/// The address of a node: `192.0.2.43`, `192.0.2.43:47011`, `[2001:db8::1]:_port`; nothing for `unknown`, for
/// an obfuscated name, and for what is no node (§6).
std::optional<text::IpAddress> address_of_node(std::string_view node);

}  // namespace keyward::web
