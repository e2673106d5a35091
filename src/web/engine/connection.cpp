#include "web/engine/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <ctime>
#include <utility>

#include "web/engine/loop.hpp"

namespace keyward::web::engine {

std::int64_t coarse_now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

Connection::Connection(Loop& owner, const Listener& listener, Socket accepted,
                       const asio::ip::tcp::endpoint& peer)
    : loop(owner),
      handler(listener.handler),
      count(listener.connections),
      meters(listener.meters),
      socket(std::move(accepted)),
      peer_address(peer.address()) {
  if (listener.certificate != nullptr)
    tls = std::make_unique<TlsStream>(listener.certificate->current(), socket.native_handle());
  // A socket that listens on [::] names IPv4 peers in IPv6's form; everybody else knows them by the short
  // one.
  if (peer_address.is_v6() && peer_address.to_v6().is_v4_mapped()) {
    peer_address = asio::ip::make_address_v4(asio::ip::v4_mapped, peer_address.to_v6());
  }
  loop.add(*this);
}

Connection::~Connection() {
  park();
  loop.remove(*this);
}

void Connection::enter(Phase next, std::chrono::milliseconds timeout) {
  phase = next;
  timed_out = false;
  park_wanted = false;
  entered_ms = coarse_now_ms();
  deadline_ms = entered_ms + timeout.count();
}

void Connection::enter_handling() {
  phase = Phase::handling;
  deadline_ms = never;
}

void Connection::look_at(std::int64_t now_ms) {
  boost::system::error_code ignored;
  if (now_ms >= deadline_ms) {
    deadline_ms = never;
    timed_out = true;
    if (phase != Phase::lingering) loop.counters().timeouts.add();
    socket.cancel(ignored);
  } else if (phase == Phase::idle && exchange && now_ms - entered_ms >= park_after_ms) {
    park_wanted = true;
    socket.cancel(ignored);
  }
}

void Connection::interrupt_idle() {
  boost::system::error_code ignored;
  if (phase == Phase::idle) socket.cancel(ignored);
}

Task<bool> Connection::handshake() {
  enter(Phase::head, loop.options().header_timeout);
  while (true) {
    const auto [state, bytes] = tls->handshake();
    if (state == TlsStream::State::done) {
      auto& counters = loop.counters();
      (tls->is_resumed() ? counters.resumed_handshakes : counters.full_handshakes).add();
      co_return true;
    }
    if (state == TlsStream::State::ended || co_await wait_for_tls(state)) break;
  }
  loop.counters().refused_handshakes.add();
  co_return false;
}

Task<boost::system::error_code> Connection::wait_for_tls(TlsStream::State state) {
  const auto readiness =
      state == TlsStream::State::wants_read ? asio::socket_base::wait_read : asio::socket_base::wait_write;
  const auto [error] = co_await socket.async_wait(readiness, quiet);
  co_return error;
}

Task<Moved> Connection::read_tls(asio::mutable_buffer into) {
  while (true) {
    const auto [state, bytes] = tls->read({static_cast<char*>(into.data()), into.size()});
    if (state == TlsStream::State::done) co_return Moved{{}, bytes};
    if (state == TlsStream::State::ended) co_return Moved{asio::error::eof, 0};
    if (const auto error = co_await wait_for_tls(state)) co_return Moved{error, 0};
  }
}

Task<Moved> Connection::write_tls(std::string_view bytes) {
  while (true) {
    const auto [state, written] = tls->write(bytes);
    if (state == TlsStream::State::done) co_return Moved{{}, written};
    if (state == TlsStream::State::ended) co_return Moved{asio::error::eof, 0};
    if (const auto error = co_await wait_for_tls(state)) co_return Moved{error, 0};
  }
}

void Connection::close_tls() {
  if (tls) tls->close();
}

Exchange& Connection::attach() {
  if (!exchange) {
    exchange = loop.take_exchange();
    Request& request = exchange->request;
    request.client.address = peer_address.to_string();
    request.loop = loop.index();
    request.body_storage = &exchange->body;
    exchange->peer_held_bytes = place.held_bytes();
  }
  return *exchange;
}

void Connection::park() {
  if (exchange) loop.give_back(std::move(exchange));
}

bool Connection::write_now() {
  std::string& output = exchange->output;
  if (tls) return write_tls_now();
  boost::system::error_code error;
  const std::size_t written = socket.write_some(asio::buffer(output), error);
  if (error == asio::error::would_block || error == asio::error::try_again) return true;
  if (error) return false;
  wipe(output.data(), written);  // answers hold tokens
  output.erase(0, written);
  return true;
}

bool Connection::write_tls_now() {
  std::string& output = exchange->output;
  while (!output.empty()) {
    const auto [state, written] = tls->write(output);
    if (state != TlsStream::State::done) return state != TlsStream::State::ended;
    wipe(output.data(), written);
    output.erase(0, written);
  }
  return true;
}

void Connection::write_soon() {
  if (std::exchange(write_posted, true)) return;
  asio::post(socket.get_executor(), [self = shared_from_this()] {
    self->write_posted = false;
    if (self->phase != Phase::handling || !self->exchange || self->exchange->output.empty()) return;
    (void)self->write_now();  // an error shows itself again at the next write
  });
}

}  // namespace keyward::web::engine
