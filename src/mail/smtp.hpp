// Smtp: the transport over libcurl (RFC 5321; RFC 8314 TLS, RFC 3207 STARTTLS, RFC 4954 AUTH).
//
// Threats: a man in the middle who strips STARTTLS or AUTH (both are required when they are configured: the
// mail waits) or shows a certificate of his own (the chain and the name are always checked; an own CA by
// `ca_file`, never "trust all") · credentials and links on the wire in clear (plain SMTP to this machine
// only, unless told otherwise) · a server that never answers, also to QUIT, and a name server that does not
// (each has its time; whoever asked is told no sooner or later) · a mail sent twice because its server looks
// at it for minutes before it answers (once all of it was handed over it has ten minutes) · secrets in errors
// (of what we send only the verb is kept; of what the server says: smtp_reply.hpp).
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/secret.hpp"
#include "mail/smtp_url.hpp"
#include "mail/transport.hpp"

namespace keyward::mail {

struct SmtpSettings {
  SmtpUrl url;
  std::string username;  // empty: no AUTH
  Secret password;
  std::filesystem::path ca_file;                                      // empty: the system's
  std::chrono::seconds send_timeout{30};                              // until the whole mail was handed over
  std::chrono::seconds answer_timeout = limits::mail_answer_timeout;  // from then on
};

class Smtp final : public Transport {
 public:
  explicit Smtp(SmtpSettings settings);
  ~Smtp() override;

  Delivery blocking_deliver(const OutgoingMessage& message, const MayGoOn& may_go_on) override;
  void rest() override;

 private:
  struct Handle;  // an open connection, kept between two mails
  std::unique_ptr<Handle> take_idle_handle();
  [[nodiscard]] std::unique_ptr<Handle> make_handle() const;
  void keep(std::unique_ptr<Handle> handle);
  [[nodiscard]] bool is_resolver_resting();
  void let_resolver_rest();

  SmtpSettings settings_;
  std::string url_;  // as curl has it
  Mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_ KEYWARD_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point resolver_rests_until_ KEYWARD_GUARDED_BY(mutex_);
};

}  // namespace keyward::mail
