// Exchange: the memory that a connection needs while something happens on it. An idle connection has none.
//
// Threat: ten thousand connections that each hold the longest head, the largest body or the most answers that
// are allowed to one (H2). Answer: an exchange may be small in any case, and what all those of a loop hold
// beyond that is bounded, an eighth of it for one address (Loop::may_hold). Who comes above it is refused
// with 503, and the small ones do not notice.
#pragma once

#include <atomic>
#include <string>

#include "base/limits.hpp"
#include "base/secret.hpp"
#include "web/engine/head.hpp"
#include "web/engine/input_buffer.hpp"
#include "web/message.hpp"

namespace keyward::web::engine {

struct Exchange {
  static constexpr std::size_t kept_max_bytes =
      limits::http_held_free_bytes;  // of memory that waits for the next request

  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    wipe(body);
    wipe(output);
  }

  [[nodiscard]] std::size_t capacity() const {
    return input.capacity() + body.capacity() + output.capacity();
  }
  [[nodiscard]] bool is_small() const { return capacity() <= kept_max_bytes; }

  InputBuffer input;
  Head head;
  Request request;
  std::string body;
  std::string output;                                   // answers that are not yet written
  std::size_t held_bytes = 0;                           // of what the loop lets all of them have
  std::atomic<std::size_t>* peer_held_bytes = nullptr;  // of the client's address; none: it is not counted
};

}  // namespace keyward::web::engine
