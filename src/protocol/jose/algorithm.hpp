// The names of the algorithms (RFC 7518 §3.1, RFC 8037 §3.1). Case counts: "none", "es256" or "" name nothing
// (J8).
#pragma once

#include <optional>
#include <string_view>

#include "crypto/signing_key.hpp"

namespace keyward::protocol::jose {

using crypto::Algorithm;

std::string_view to_name(Algorithm algorithm);
std::optional<Algorithm> parse_algorithm(std::string_view name);

}  // namespace keyward::protocol::jose
