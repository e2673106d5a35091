// Promises: what answers have said, and so must stay true whatever breaks.
//
// Facts are taken down when an answer leaves the server, never before. They only grow: nothing that happens
// afterwards may take one back. What was under way when a process died is nobody's promise; that it is whole
// or not at all is the ledger's business.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/uuid.hpp"
#include "domain/sessions/refresh.hpp"
#include "simulation/trace.hpp"

namespace keyward::simulation {

// The limit on guessing: as it is by default.
inline constexpr std::uint32_t login_attempts = 5;
inline constexpr seconds login_window{900};

/// What a client was told of its session.
struct SessionFacts {
  Uuid account;
  std::string user_agent;           // of who logged in, or refreshed last
  std::int64_t generation = 0;      // the newest that anybody was given
  std::optional<Time> replaced_at;  // when the one before it was replaced, if that answer arrived
  std::set<std::int64_t> advanced;  // generations whose successor was given out as new
  std::uint64_t doubts = 0;         // calls without an answer
  Time dead_at;                     // by its absolute limit
  bool is_ended = false;
};

struct MailFacts {
  bool is_promised = false;  // enqueued by a change that was answered
  bool is_undone = false;    // by one that was refused
  bool is_refused = false;   // by the mail server, for good
  unsigned deliveries = 0;
};

class Promises {
 public:
  Promises(Trace& trace, const SimulatedClock& clock, std::chrono::seconds grace)
      : trace_(trace), clock_(clock), grace_(grace) {}

  // ── Sessions ──
  void session_begun(const Uuid& id, SessionFacts facts);
  void refreshed(const domain::RefreshTokens::Named& presented, const protocol::refresh::Decision& decision,
                 const domain::Device& device, Time now);
  void session_ended(const Uuid& id);
  void sessions_ended(const Uuid& account, std::optional<Uuid> except);
  [[nodiscard]] std::vector<Uuid> sessions_of(const Uuid& account) const;
  /// Until it is answered, what becomes of them is open; for ever, when the answer never comes.
  void call_begins(const std::vector<Uuid>& sessions);
  void call_answered(const std::vector<Uuid>& sessions);

  // ── One-time tokens ──
  void token_presented(const std::string& token, bool is_live);
  void token_consumed(const std::string& token);
  void tokens_revoked(const Uuid& account);
  void token_issued(const std::string& token, const Uuid& account);
  void code_tried(const std::string& transaction, bool is_right);

  // ── Guesses ──
  /// A wrong password was compared. `window` and `taken_at` (steady) are its reservation's.
  void guessed(const std::string& bucket, std::uint64_t window, Time taken_at);
  /// A right one forgets them, at some moment before cleared().
  void clear_begins(const std::string& bucket);
  void cleared(const std::string& bucket);
  void process_died();
  void counts_swept() { swept_at_ = clock_.steady(); }

  // ── Mails ──
  MailFacts& mail(const Uuid& id) { return mails_[id]; }
  void mail_delivered(const Uuid& id);

  // ── Work after an answer ──
  void asked(const std::string& request) { asked_.emplace(request, clock_.now()); }
  void carried_out(const std::string& request);
  void maybe_carried_out(const std::string& request) { carried_out_maybe_.insert(request); }

  // ── Events ──
  void events_recorded(std::int64_t count) { events_ += count; }

  /// Holds what the database has against all of it. `is_end`: nothing more will happen.
  void check(storage::Transaction& transaction, bool is_end);

  [[nodiscard]] std::map<Uuid, SessionFacts>& sessions() { return sessions_; }

 private:
  void forget_guesses(const std::string& bucket);
  void check_sessions(storage::Transaction& transaction);
  void check_mails(storage::Transaction& transaction, bool is_end);

  struct TokenFacts {
    Uuid account;
    bool is_consumed = false;
    bool is_revoked = false;
  };

  Trace& trace_;
  const SimulatedClock& clock_;
  const std::chrono::seconds grace_;
  std::map<Uuid, SessionFacts> sessions_;
  std::map<std::string, TokenFacts> tokens_;
  std::map<std::string, unsigned> wrong_codes_;
  struct Guesses {
    Time since;
    unsigned count = 0;
  };
  std::map<std::pair<std::string, std::uint64_t>, Guesses> guesses_;
  Time swept_at_;
  std::map<Uuid, MailFacts> mails_;
  std::map<std::string, Time> asked_;
  std::set<std::string> carried_out_;
  std::set<std::string> carried_out_maybe_;
  std::map<std::string, unsigned> clearing_;
  std::int64_t events_ = 0;
};

}  // namespace keyward::simulation
