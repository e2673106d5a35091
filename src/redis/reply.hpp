// Reply: what Redis answers (RESP2), as a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace keyward::redis {

struct Reply {
  enum class Kind : std::uint8_t { nothing, number, text, error, list };
  Kind kind = Kind::nothing;
  std::int64_t number = 0;
  std::string text;  // also an error's: `NOSCRIPT No matching script`
  std::vector<Reply> items;

  [[nodiscard]] bool is_error() const { return kind == Kind::error; }
};

}  // namespace keyward::redis
