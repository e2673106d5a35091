// The passwords that everybody tries first (P5): embedded, so that the check needs no file and no network.
#pragma once

#include <cstddef>
#include <string_view>

namespace keyward::domain {

/// ASCII case does not count: `PassWord` is as common as `password`.
bool is_common_password(std::string_view password);

std::size_t count_common_passwords();

}  // namespace keyward::domain
