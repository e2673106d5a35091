#include "outbound/resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/free_with.hpp"
#include "base/mutex.hpp"
#include "runtime/completion.hpp"

namespace keyward::outbound {

namespace {

constexpr unsigned threads_max = 4;  // so a name server that does not answer for one name leaves others a way

std::optional<text::IpAddress> address_of(const sockaddr* socket_address) {
  std::array<char, NI_MAXHOST> text{};
  const socklen_t size = socket_address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (getnameinfo(socket_address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return std::nullopt;
  const std::string_view whole = text.data();
  return text::IpAddress::parse(whole.substr(0, whole.find('%')));
}

class SystemResolver final : public Resolver {
 public:
  Resolved blocking_resolve(const std::string& host) override {
    const addrinfo hints{.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    addrinfo* first = nullptr;
    if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &first); error != 0)
      return std::unexpected(gai_strerror(error));
    const std::unique_ptr<addrinfo, FreeWith<freeaddrinfo>> owner{first};
    std::vector<text::IpAddress> addresses;
    for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
      const auto address = address_of(one->ai_addr);
      if (address && std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
    }
    if (addresses.empty()) return std::unexpected("no address");
    return addresses;
  }
};

}  // namespace

std::shared_ptr<Resolver> system_resolver() { return std::make_shared<SystemResolver>(); }

struct Lookups::State {
  std::shared_ptr<Resolver> resolver;
  Mutex mutex;
  std::deque<std::string> queue KEYWARD_GUARDED_BY(mutex);
  std::map<std::string, std::vector<Completion<Resolved>>> waiting KEYWARD_GUARDED_BY(mutex);
  unsigned threads KEYWARD_GUARDED_BY(mutex) = 0;
  bool closed KEYWARD_GUARDED_BY(mutex) = false;
};

Lookups::Lookups(std::shared_ptr<Resolver> resolver) : state_(std::make_shared<State>()) {
  state_->resolver = std::move(resolver);
}

void Lookups::close() {
  decltype(state_->waiting) dropped;
  const Lock lock{state_->mutex};
  state_->closed = true;
  state_->queue.clear();
  dropped.swap(state_->waiting);
}

Task<Resolved> Lookups::resolve(std::string host) {
  co_return co_await await_completion<Resolved>(
      [state = state_, host = std::move(host)](Completion<Resolved> done) {
        const Lock lock{state->mutex};
        auto& waiting = state->waiting[host];
        waiting.push_back(std::move(done));
        if (waiting.size() > 1) return;
        state->queue.push_back(host);
        if (state->threads == threads_max) return;
        try {
          std::thread{[state] { thread_main(state); }}.detach();
          ++state->threads;
        } catch (const std::system_error& error) {
          if (state->threads > 0) return;  // one of those will do it
          state->queue.pop_back();
          const auto refused = state->waiting.extract(host);
          refused.mapped().front()(Outcome<Resolved>{std::in_place, std::unexpect, error.what()});
        }
      });
}

void Lookups::thread_main(const std::shared_ptr<State>& state) {
  pthread_setname_np(pthread_self(), "kw-resolve");
  Lock lock{state->mutex};
  while (!state->queue.empty()) {
    const auto host = std::move(state->queue.front());
    state->queue.pop_front();
    lock.unlock();
    const auto resolved = state->resolver->blocking_resolve(host);
    lock.lock();
    // Under the lock: who closes knows that nobody is being resumed any more.
    const auto waiting = state->waiting.extract(host);
    if (waiting.empty()) continue;
    for (auto& done : waiting.mapped()) done(Outcome<Resolved>{std::in_place, resolved});
  }
  --state->threads;
}

}  // namespace keyward::outbound
