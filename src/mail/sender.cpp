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

/// Counts an attempt for as long as it lasts, however it ends.
class Sender::UnderWay {
 public:
  explicit UnderWay(Sender& sender) : sender_(sender) {
    const Lock lock{sender_.mutex_};
    ++sender_.under_way_;
  }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() {
    {
      const Lock lock{sender_.mutex_};
      --sender_.under_way_;
    }
    sender_.nothing_under_way_.notify_all();
  }

 private:
  Sender& sender_;
};

Sender::Sender(Dependencies dependencies, SenderSettings settings)
    : use_(std::move(dependencies)), settings_(std::move(settings)) {}

void Sender::start() {
  for (std::size_t i = 0; i < settings_.threads; ++i) threads_.emplace_back([this] { thread_main(); });
}

void Sender::stop() {
  stopping_ = true;
  use_.outbox.doorbell().ring();
  {
    Lock lock{mutex_};
    nothing_under_way_.wait_for(mutex_, limits::mail_stop_grace,
                                [this]() KEYWARD_REQUIRES(mutex_) { return under_way_ == 0; });
  }
  cut_ = true;
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
    const Lock lock{mutex_};
    idle = under_way_ == 0;
  }
  if (idle) use_.transport.rest();
  return due ? *due - now : microseconds{settings_.poll_interval};
}

Lease Sender::make_lease(Time now) const {
  return Lease{Uuid::make_v7(now, use_.random), 2 * settings_.send_timeout + limits::mail_stop_grace,
               use_.steady_now()};
}

domain::MailLease Sender::to_row(const Lease& lease, Time now) const {
  return {.id = lease.id(), .until = now + lease.length()};
}

bool Sender::blocking_send_next() {
  const auto now = use_.clock.now();
  auto lease = make_lease(now);
  const auto mail = use_.database.blocking_write([&](storage::Transaction& transaction) {
    return domain::claim_due_mail(transaction, now, to_row(lease, now));
  });
  if (!mail) return false;
  use_.outbox.doorbell().ring();  // there may be more: the next thread looks
  blocking_attempt(*mail, lease);
  return true;
}

bool Sender::blocking_send(const Uuid& id) {
  const auto now = use_.clock.now();
  auto lease = make_lease(now);
  const auto mail = use_.database.blocking_write([&](storage::Transaction& transaction) {
    return domain::claim_mail(transaction, id, now, to_row(lease, now));
  });
  if (!mail) return false;
  blocking_attempt(*mail, lease);
  return true;
}

void Sender::blocking_attempt(const domain::ClaimedMail& mail, Lease& lease) {
  const auto now = use_.clock.now();
  if (mail.expires_at <= now) {
    finish(mail, lease.id(), domain::mail_state::expired, {});
    return;
  }
  Delivery delivery;
  try {
    const UnderWay counted{*this};
    delivery = blocking_deliver(mail, lease);
  } catch (const std::exception& broken) {  // a library that is not installed, no memory for a handle
    delivery = {Delivery::Verdict::try_again, broken.what()};
  }
  switch (delivery.verdict) {
    case Delivery::Verdict::delivered:
      finish(mail, lease.id(), domain::mail_state::sent, {});
      break;
    case Delivery::Verdict::refused:
      finish(mail, lease.id(), domain::mail_state::failed, delivery.reason);
      break;
    case Delivery::Verdict::try_again:
      postpone(mail, lease.id(), retry_delay(mail.attempts, draw_fraction(use_.random)), delivery.reason);
      break;
    case Delivery::Verdict::unsure:
      postpone(mail, lease.id(), unsure_retry_delay(use_.clock.now() - mail.created_at), delivery.reason);
      break;
  }
}

/// False when the process ends, or the mail is no longer ours: somebody else may be sending it.
bool Sender::may_go_on(const domain::ClaimedMail& mail, Lease& lease) {
  if (cut_) return false;
  const auto now = use_.steady_now();
  if (lease.is_half_over(now)) {
    try {
      const bool is_ours = use_.database.blocking_write([&](storage::Transaction& transaction) {
        return domain::renew_mail_lease(transaction, mail.id, to_row(lease, use_.clock.now()));
      });
      if (!is_ours) return false;
      lease.renew(now);
    } catch (const storage::Failure& failure) {  // it may come back while the lease lasts
      log(LogLevel::warning, "mail_lease_not_renewed",
          {{"mail", mail.id.to_string()}, {"reason", failure.what()}});
    }
  }
  return !lease.is_over(use_.steady_now());
}

Delivery Sender::blocking_deliver(const domain::ClaimedMail& mail, Lease& lease) {
  using enum Delivery::Verdict;
  const auto kind = parse_mail_kind(mail.kind);
  if (!kind) return {try_again, "this version has no template " + mail.kind};  // a newer node's mail
  if (!mail.content_sealed) return {refused, "the mail's content is gone"};
  auto variables = use_.outbox.open(mail);
  if (!variables) return {try_again, variables.error().message};  // another node may have the right key
  auto message = compose_mail(settings_, use_.templates, *kind, mail, std::move(*variables));
  if (!message) return {try_again, message.error().message};  // a template or a setting: it can be mended
  // From here on somebody may get it. The taking may have waited long for the database.
  if (!may_go_on(mail, lease)) return {try_again, "the mail was taken for too long before it could be sent"};
  return use_.transport.blocking_deliver({.id = mail.id,
                                          .kind = mail.kind,
                                          .sender = settings_.from.address,
                                          .recipient = mail.recipient,
                                          .bytes = std::move(*message)},
                                         [&] { return may_go_on(mail, lease); });
}

void Sender::finish(const domain::ClaimedMail& mail, const Uuid& lease, std::string_view state,
                    const std::string& reason) {
  const auto now = use_.clock.now();
  const std::optional<std::string> error = reason.empty() ? std::nullopt : std::optional{reason};
  const auto write = [&] {
    return use_.database.blocking_write([&](storage::Transaction& transaction) {
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
      use_.sleep_for(std::chrono::milliseconds{200} * attempt);
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

void Sender::postpone(const domain::ClaimedMail& mail, const Uuid& lease, microseconds delay,
                      const std::string& reason) {
  const auto due_at = use_.clock.now() + delay;
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
