// The environment of `keyward db move` and `db compare`: where to. These are no settings: a server may be
// started with the same environment.
#pragma once

#include <string_view>

namespace keyward::app {

inline constexpr std::string_view move_variable = "KEYWARD_MOVE_TO";
inline constexpr std::string_view move_file_variable = "KEYWARD_MOVE_TO_FILE";

}  // namespace keyward::app
