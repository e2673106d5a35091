// Deferred requests: calls that are answered before anything is looked up, so that neither the answer nor its
// time tells who has an account (A6). All that the call itself does is to write one row, the same for
// everybody; the work is done from there (app/deferred_work.hpp), in one transaction with the row's end:
// once, also when the process dies in between.
//
// Threats: work that begins while the answer is on its way, and slows it down for those who exist (a row is
// due only a while later, a random while) · a row that cannot be worked off and holds up the others (it is
// put off, and dropped when it expires) · rows by the million (a limit by client address before each).
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/uuid.hpp"
#include "runtime/doorbell.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

namespace deferred_kind {
inline constexpr std::string_view registration = "register";
inline constexpr std::string_view resend_verification = "resend_verification";
inline constexpr std::string_view forgot_password = "forgot_password";
}  // namespace deferred_kind

/// A row of `deferred_requests`.
struct DeferredRequest {
  Uuid id;
  std::string kind;
  std::string email;  // as typed; it is one
  Bytes transaction_hash;
  std::string locale;
  std::string address;  // of the client, as the two that follow
  std::string user_agent;
  std::string request_id;
  std::optional<Uuid> account_id;  // register: of the account to be made, as the two that follow
  std::optional<std::string> full_name;
  std::optional<std::string> password_hash;
  Time due_at;
  Time expires_at;
};
BOOST_DESCRIBE_STRUCT(DeferredRequest, (),
                      (id, kind, email, transaction_hash, locale, address, user_agent, request_id, account_id,
                       full_name, password_hash, due_at, expires_at))

/// Where handlers put them.
class DeferredRequests {
 public:
  DeferredRequests(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

  /// Sets id and times.
  void add(storage::Transaction& transaction, const DeferredRequest& request);
  [[nodiscard]] Doorbell& doorbell() { return doorbell_; }

 private:
  const Clock& clock_;
  Random& random_;
  Doorbell doorbell_;
};

/// Takes out the one that is due for the longest time.
std::optional<DeferredRequest> take_due_request(storage::Transaction& transaction, Time now);
std::optional<Time> find_next_due_request(storage::Transaction& transaction);
/// After a failure: the one that is due for the longest time comes later, or is dropped when it is too old.
void postpone_due_request(storage::Transaction& transaction, Time now);

}  // namespace keyward::domain
