// What a session's device is called in a list: "Firefox on Linux".
//
// A User-Agent is whatever its sender likes, so only words of ours come out, and a product's name when it is
// made of letters, digits and a few marks (L2). It is told to people, and decides nothing.
#pragma once

#include <string>
#include <string_view>

namespace keyward::domain {

/// "Firefox on Linux", "Chrome on Android", "curl", "Unknown device".
std::string name_device(std::string_view user_agent);

}  // namespace keyward::domain
