// What an application says of itself when it sends a browser to a provider: where the browser is to go
// afterwards, and the challenge that the code it brings back counts with.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "domain/identities/provider_logins.hpp"

namespace keyward::features {

struct AskedHandover {
  const std::optional<std::string>& return_to;
  const std::optional<std::string>& code_challenge;
  const std::optional<std::string>& code_challenge_method;
};

/// Error: invalid_input, which names the parameter.
Result<domain::Handover> to_handover(const AskedHandover& asked, std::span<const std::string> origins);

}  // namespace keyward::features
