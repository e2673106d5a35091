// Accept-Language (RFC 9110 §12.5.4): which of the languages that we have a person would like to read.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace keyward::text {

/// Lookup (RFC 4647 §3.4) of the header's ranges, the best-liked first, among the tags `available`: "de-AT"
/// finds "de" when there is no "de-AT". A tag that the header names with q=0 is not chosen. Empty when
/// nothing matches;
/// `*` matches nothing, as it says nothing of which. What is malformed is passed over, and so is what stands
/// behind the first 32 ranges.
std::string choose_locale(std::string_view header, std::span<const std::string> available);

}  // namespace keyward::text
