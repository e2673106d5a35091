// One question to the server and its answer, within a time limit of this side.
//
// Threat: a server that is there and does not answer (its process stopped, its disk stalled, a COMMIT that
// waits for a standby that is gone), so that every database thread waits for ever, and the shutdown for
// them. The socket's time limits see a peer whose kernel acknowledges, and the server's own limits run in the
// process that hangs, or not at all during the work of a COMMIT. Answer: every wait is a poll() with a
// deadline; after it the connection is closed, and nobody uses it again.
#pragma once

#include <chrono>
#include <string_view>

#include "storage/postgres/error.hpp"

namespace keyward::storage::postgres {

/// `sent` is what PQsend… returned. The question's last result, or throws its first error. Unavailable when
/// the time is up: whether the server does what it was told is unknown then.
ResultHandle await_answer(Link& link, int sent, std::chrono::milliseconds limit, std::string_view doing);

}  // namespace keyward::storage::postgres
