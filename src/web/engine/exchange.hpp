// Exchange: the memory that a connection needs while something happens on it. An idle connection has none.
#pragma once

#include <string>

#include "base/secret.hpp"
#include "web/engine/head.hpp"
#include "web/engine/input_buffer.hpp"
#include "web/message.hpp"

namespace keyward::web::engine {

struct Exchange {
  static constexpr std::size_t kept_max_bytes =
      16 * 1024;  // an exchange that has grown beyond is not kept for later

  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    wipe(body);
    wipe(output);
  }

  [[nodiscard]] bool is_small() const {
    return input.capacity() + body.capacity() + output.capacity() <= kept_max_bytes;
  }

  InputBuffer input;
  Head head;
  Request request;
  std::string body;
  std::string output;  // answers that are not yet written
};

}  // namespace keyward::web::engine
