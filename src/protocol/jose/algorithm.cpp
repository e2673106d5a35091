#include "protocol/jose/algorithm.hpp"

#include <array>

namespace keyward::protocol::jose {

std::string_view to_name(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::es256:
      return "ES256";
    case Algorithm::eddsa:
      return "EdDSA";
    case Algorithm::rs256:
      return "RS256";
    case Algorithm::ps256:
      return "PS256";
    case Algorithm::hs256:
      return "HS256";
  }
  return {};
}

std::optional<Algorithm> parse_algorithm(std::string_view name) {
  for (const auto algorithm :
       {Algorithm::es256, Algorithm::eddsa, Algorithm::rs256, Algorithm::ps256, Algorithm::hs256}) {
    if (to_name(algorithm) == name) return algorithm;
  }
  return std::nullopt;
}

}  // namespace keyward::protocol::jose
