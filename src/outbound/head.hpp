// Heads of requests and answers, as far as they are text: pure functions.
//
// RFC 9110 §5 (fields), §8.3 (Content-Type); RFC 9111 §4.2 (freshness); RFC 9112 §3, §6. Threat: a line break
// in a value that we send, which makes two requests of one. Answer: only visible ASCII, spaces and tabs.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "outbound/request.hpp"

namespace keyward::outbound {

/// What goes over the wire, whole. It may hold secrets, so it stands in memory once and is wiped.
Fetched<Secret> write_request(const Target& target, const Request& request);

/// `Text/HTML; charset=utf-8` → `text/html`.
std::string media_type_of(std::string_view content_type);
/// Whether one of `taken` is this media type, or takes it by its `+json`.
bool is_taken(std::string_view media_type, std::span<const std::string> taken);

/// Adds what one Cache-Control field says to what others said; the shortest time counts.
void read_cache_control(std::string_view value, std::optional<std::chrono::seconds>& max_age);
/// Of Age; 0 for what is no number.
std::chrono::seconds read_age(std::string_view value);

}  // namespace keyward::outbound
