// Password attempts: the limit on guessing, the same wherever a password is asked for (P7, A5).
//
// Five wrong passwords for an account in 900 seconds (limits.login_attempts, limits.login_window_s), then 429
// with Retry-After for every password, the right one too, until the window that the first one opened is over.
// A right password before that forgets the wrong ones.
//
// An attempt is reserved before any hashing, and settled when it is known what came of it. So N parallel
// guesses are never more than the limit (A2). Where only unsettled attempts stand in the way, the next one
// waits a moment for them: N tabs with the right password all get in. An attempt that is never settled stays
// counted.
//
// Threats: telling who exists (what is counted by is the address of mail, not the account: A6) · locking the
// owner out (a known device has attempts of its own: device_tokens.hpp; when these are used up it is counted
// as a stranger, so that old tokens cannot lock it out either) · one machine that tries one password
// at many accounts (a limit for each client address; a known device is not asked for it, so that the owner's
// neighbours cannot lock the owner out either) · an event for each refusal, to fill the log (one for
// each key and window).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/limits/device_tokens.hpp"
#include "domain/limits/limits.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

/// A handler's parameter: the device token that the request brings, in the header `Keyward-Device` or in the
/// cookie `__Host-kw_device`; empty when there is none.
struct PresentedDevice {
  std::string token;
};

/// Who may be guessed at, and who asks.
struct AttemptedBy {
  std::string name;  // what was typed as the e-mail address, or the account's own
  PresentedDevice device;
  web::Client client;
  web::AnswerHeaders headers;
};

struct PasswordAttempt {
  AttemptedBy by;
  domain::LimitKey account{};
  std::optional<domain::DeviceId> device;
  std::vector<domain::Reservation> taken;  // the last one from the bucket of the one who asks
  bool was_last = false;                   // no further one fits into that bucket
  std::optional<Time> device_known_at;     // it brought a good token, used up or not: of then
  std::uint32_t failures_before = 0;       // in the present window, in the bucket of the one who asks
};

class PasswordAttempts {
 public:
  struct Dependencies {
    domain::Limits& limits;
    const domain::DeviceTokens& devices;
    domain::EventLog& events;
    const Clock& clock;
    Random& random;
    bool secure_cookies = false;  // the public URL is https
  };
  explicit PasswordAttempts(Dependencies dependencies) : uses_(dependencies) {}

  /// Error: too_many_requests, without any work on the password.
  Task<Result<PasswordAttempt>> begin(AttemptedBy by);
  /// It was the wrong one.
  Task<void> failed(PasswordAttempt attempt);
  /// No password was compared.
  Task<void> give_back(PasswordAttempt attempt);
  /// It was the right one.
  Task<void> succeeded(PasswordAttempt attempt);
  /// The device is its owner's from now on: a token for the answer. Of a login alone: whoever has a session
  /// and no more must not make its device a known one.
  void remember_device(const PasswordAttempt& attempt);
  /// Forgets the wrong passwords for this address: its owner has proved themselves otherwise.
  Task<void> forgive(std::string email);

 private:
  struct Refusal {
    domain::LimitClass limit;
    bool pending;  // not for good
    seconds left;  // of its window
  };
  /// One from each, or from none. The bucket of the one who asks stands last.
  Task<std::optional<Refusal>> take(PasswordAttempt& attempt, std::vector<domain::Bucket> buckets);
  static std::unexpected<Error> too_many_passwords(const Refusal& refusal);
  Task<std::vector<domain::Verdict>> take_or_wait(std::vector<domain::Bucket> buckets);
  /// What cannot be written is logged: the password was compared, and its answer must not wait for this. The
  /// attempt stays counted.
  Task<void> settle(std::vector<domain::Settled> all);
  Dependencies uses_;
};

}  // namespace keyward::features

namespace keyward::web {

template <>
struct Extract<features::PresentedDevice> {
  static Result<features::PresentedDevice> from(RequestContext& context);
};

}  // namespace keyward::web
