// A server whose database moves to another one (`keyward db move`) stops, so that nobody is answered from the
// old one any more: a session that is ended in the new must not live on here. It asks at the head of a read,
// once a second at most, so a server that sleeps is not woken for it.
#pragma once

#include <functional>

#include "storage/database.hpp"

namespace keyward::app {

/// `stop` is called once, on a database thread. From then on reads are refused.
void watch_for_a_move(storage::Database& database, std::function<void()> stop);

}  // namespace keyward::app
