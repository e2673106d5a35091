// Refusal: why the engine itself says no, before any handler has seen the request.
#pragma once

#include <string_view>

namespace keyward::web::engine {

/// A status and a sentence for the client. Not an Error: the engine needs statuses that no feature has (501,
/// 505), and refusing must not allocate. Every refusal closes the connection.
struct Refusal {
  unsigned status = 400;
  std::string_view sentence;  // a constant
};

}  // namespace keyward::web::engine
