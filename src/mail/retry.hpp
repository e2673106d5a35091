// When a mail that could not be sent is tried again: a pure function.
#pragma once

#include "base/clock.hpp"

namespace keyward::mail {

/// After the given number of attempts: limits::mail_first_retry, doubled for each attempt after the first, at
/// most limits::mail_last_retry, and up to a quarter more or less, so that many mails of one outage do not
/// come back together. `jitter` is drawn from [0, 1).
microseconds retry_delay(std::int64_t attempts, double jitter);

/// After an attempt that may have delivered the mail: as long as the mail is old, at least
/// limits::mail_unsure_retry. So few of its copies can arrive.
microseconds unsure_retry_delay(microseconds age);

}  // namespace keyward::mail
