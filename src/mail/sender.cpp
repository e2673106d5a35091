#include "mail/sender.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "mail/retry.hpp"
#include "storage/errors.hpp"

namespace keyward::mail {

namespace {

/// From [0, 1).
double draw_fraction(Random& random) {
  const auto bytes = random.bytes<2>();
  return (bytes[0] * 256.0 + bytes[1]) / 65536.0;
}

}  // namespace

Sender::Sender(Dependencies dependencies, SenderSettings settings)
    : use_(dependencies), settings_(std::move(settings)) {}

void Sender::start() {
  for (std::size_t i = 0; i < settings_.threads; ++i) threads_.emplace_back([this] { thread_main(); });
}

void Sender::stop() {
  stopping_ = true;
  use_.outbox.doorbell().ring();
  {
    std::unique_lock lock{mutex_};
    nothing_under_way_.wait_for(lock, limits::mail_stop_grace, [this] { return under_way_ == 0; });
  }
  cut_.request_stop();
  threads_.clear();
}

void Sender::thread_main() {
  constexpr microseconds after_failure = std::chrono::seconds{5};
  pthread_setname_np(pthread_self(), "kw-mail");
  while (!stopping_) {
    microseconds rest{0};
    try {
      rest = blocking_work();
    } catch (const std::exception& exception) {
      log(LogLevel::error, "mail_sender_failed", {{"reason", exception.what()}});
      rest = after_failure;
    }
    if (rest <= microseconds{0}) continue;
    use_.outbox.doorbell().wait_for(std::min<microseconds>(rest, settings_.poll_interval),
                                    [this] { return stopping_.load(); });
  }
}

/// Sends one mail when one is due; otherwise, for how long there is nothing to do.
microseconds Sender::blocking_work() {
  const auto due = use_.database.blocking_read(domain::find_next_due_mail);
  const auto now = use_.clock.now();
  if (due && *due <= now) {
    blocking_send_next();
    return {};
  }
  bool idle = false;
  {
    const std::scoped_lock lock{mutex_};
    idle = under_way_ == 0;
  }
  if (idle) use_.transport.rest();
  return due ? *due - now : microseconds{settings_.poll_interval};
}

domain::MailLease Sender::make_lease(Time now) const {
  // Twice as long as an attempt can take, so that a slow one does not lose its mail to another.
  return {.id = Uuid::make_v7(now, use_.random),
          .until = now + 2 * settings_.send_timeout + limits::mail_stop_grace};
}

bool Sender::blocking_send_next() {
  const auto now = use_.clock.now();
  const auto lease = make_lease(now);
  const auto mail = use_.database.blocking_write(
      [&](storage::Transaction& transaction) { return domain::claim_due_mail(transaction, now, lease); });
  if (!mail) return false;
  use_.outbox.doorbell().ring();  // there may be more: the next thread looks
  blocking_attempt(*mail, lease.id);
  return true;
}

bool Sender::blocking_send(const Uuid& id) {
  const auto now = use_.clock.now();
  const auto lease = make_lease(now);
  const auto mail = use_.database.blocking_write(
      [&](storage::Transaction& transaction) { return domain::claim_mail(transaction, id, now, lease); });
  if (!mail) return false;
  blocking_attempt(*mail, lease.id);
  return true;
}

void Sender::blocking_attempt(const domain::ClaimedMail& mail, const Uuid& lease) {
  if (mail.expires_at <= use_.clock.now()) {
    finish(mail, lease, domain::mail_state::expired, {});
    return;
  }
  {
    const std::scoped_lock lock{mutex_};
    ++under_way_;
  }
  Delivery delivery;
  try {
    delivery = blocking_deliver(mail);
  } catch (const std::runtime_error& broken) {  // a library that is not installed, no memory for a handle
    delivery = {Delivery::Verdict::try_again, broken.what()};
  }
  {
    const std::scoped_lock lock{mutex_};
    --under_way_;
  }
  nothing_under_way_.notify_all();
  switch (delivery.verdict) {
    case Delivery::Verdict::delivered:
      finish(mail, lease, domain::mail_state::sent, {});
      break;
    case Delivery::Verdict::refused:
      finish(mail, lease, domain::mail_state::failed, delivery.reason);
      break;
    case Delivery::Verdict::try_again:
      postpone(mail, lease, delivery.reason);
      break;
  }
}

Delivery Sender::blocking_deliver(const domain::ClaimedMail& mail) {
  using enum Delivery::Verdict;
  const auto kind = parse_mail_kind(mail.kind);
  if (!kind) return {try_again, "this version has no template " + mail.kind};  // a newer node's mail
  auto variables = use_.outbox.open(mail);
  if (!variables) return {refused, variables.error().message};
  auto message = compose_mail(settings_, use_.templates, *kind, mail, std::move(*variables));
  if (!message) return {refused, message.error().message};
  return use_.transport.blocking_deliver({.id = mail.id,
                                          .kind = mail.kind,
                                          .sender = settings_.from.address,
                                          .recipient = mail.recipient,
                                          .bytes = std::move(*message)},
                                         cut_.get_token());
}

void Sender::finish(const domain::ClaimedMail& mail, const Uuid& lease, std::string_view state,
                    const std::string& reason) {
  const auto now = use_.clock.now();
  const std::optional<std::string> error = reason.empty() ? std::nullopt : std::optional{reason};
  const auto write = [&] {
    return use_.database.blocking_write([&](storage::Transaction& transaction) {
      domain::delete_finished_mails(transaction, now - limits::mail_kept);
      return domain::finish_mail(transaction, mail.id, lease, state, now, error);
    });
  };
  // A mail that is sent and not noted is sent twice: a database that is busy for a moment is asked again.
  constexpr int attempts_max = 5;
  bool noted = false;
  for (int attempt = 1;; ++attempt) {
    try {
      noted = write();
      break;
    } catch (const storage::Failure&) {
      if (attempt == attempts_max) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds{200} * attempt);
    }
  }
  const bool sent = state == domain::mail_state::sent;
  ++(sent ? sent_ : failed_);
  log(sent ? LogLevel::info : LogLevel::error, fmt::format("mail_{}", state),
      {{"mail", mail.id.to_string()},
       {"kind", mail.kind},
       {"attempts", std::to_string(mail.attempts)},
       {"noted", noted ? "yes" : "no"},
       {"reason", reason}});
}

void Sender::postpone(const domain::ClaimedMail& mail, const Uuid& lease, const std::string& reason) {
  const auto now = use_.clock.now();
  const auto due_at = now + retry_delay(mail.attempts, draw_fraction(use_.random));
  if (due_at >= mail.expires_at) {
    finish(mail, lease, domain::mail_state::expired, reason);
    return;
  }
  const bool noted = use_.database.blocking_write([&](storage::Transaction& transaction) {
    return domain::postpone_mail(transaction, mail.id, lease, due_at, reason);
  });
  ++postponed_;
  log(LogLevel::warning, "mail_postponed",
      {{"mail", mail.id.to_string()},
       {"kind", mail.kind},
       {"attempts", std::to_string(mail.attempts)},
       {"due_at", to_rfc3339(due_at)},
       {"noted", noted ? "yes" : "no"},
       {"reason", reason}});
}

}  // namespace keyward::mail
