#include "outbound/client.hpp"

#include <boost/asio/post.hpp>
#include <optional>
#include <utility>

#include "base/secret.hpp"
#include "outbound/engine.hpp"
#include "runtime/completion.hpp"

namespace keyward::outbound {

namespace {

using Done = Completion<Fetched<Answer>>;
using Ended = Outcome<Fetched<Answer>>;

/// A request from its admission to its end, whatever ends it.
class Pending {
 public:
  Pending(Engine& engine, Request request, Done done)
      : engine_(engine), request_(std::move(request)), done_(std::move(done)) {}
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() {
    if (done_) settle(Ended{std::in_place, Failure::of(Refusal::busy, "the server is stopping")});
    for (auto& field : request_.fields) wipe(field.value);
    if (request_.form) wipe(*request_.form);
  }

  [[nodiscard]] const Request* request() const { return &request_; }
  void settle(Ended outcome) {
    if (outcome) {
      engine_.meters.results.add(*outcome ? "ok" : to_word(outcome->error().refusal));
      engine_.meters.seconds.observe(stopwatch_.passed());
    }
    engine_.under_way.fetch_sub(1);
    std::exchange(done_, std::nullopt).value()(std::move(outcome));
  }

 private:
  Engine& engine_;
  Request request_;
  std::optional<Done> done_;
  Stopwatch stopwatch_;
};

Task<void> carry_out(Engine* engine, std::unique_ptr<Pending> pending) {
  try {
    pending->settle(Ended{std::in_place, co_await engine->fetch(pending->request())});
  } catch (const std::exception&) {
    pending->settle(Ended{std::unexpect, std::current_exception()});
  }
}

}  // namespace

Client::Client(Options options) : engine_(std::make_unique<Engine>(std::move(options))) {}

Client::~Client() = default;

Task<Fetched<Answer>> Client::send(Request request) {
  if (engine_->under_way.fetch_add(1) >= limits::outbound_queue_max) {
    engine_->under_way.fetch_sub(1);
    engine_->meters.results.add(to_word(Refusal::busy));
    co_return Failure::of(Refusal::busy, "too many requests are under way");
  }
  const auto executor = engine_->executor();
  co_return co_await await_completion<Fetched<Answer>>(
      [engine = engine_.get(), &executor, request = std::move(request)](Done done) mutable {
        auto pending = std::make_unique<Pending>(*engine, std::move(request), std::move(done));
        asio::post(executor, [engine, executor, pending = std::move(pending)]() mutable {
          spawn(executor, carry_out(engine, std::move(pending)), "outbound request");
        });
      });
}

const ClientMeters& Client::meters() const { return engine_->meters; }

LoopExecutor Client::executor() { return engine_->executor(); }

}  // namespace keyward::outbound
