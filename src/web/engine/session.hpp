// The life of one connection: read a request, ask the handler, write the answer, again, until one side has
// enough.
#pragma once

#include <memory>

#include "runtime/task.hpp"
#include "web/engine/connection.hpp"

namespace keyward::web::engine {

Task<void> serve(std::shared_ptr<Connection> connection);

/// For a connection above the limit: a 503 at once, and the end.
Task<void> turn_away(std::shared_ptr<Connection> connection, std::string_view why);

}  // namespace keyward::web::engine
