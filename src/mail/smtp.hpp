// Smtp: the transport over libcurl (RFC 5321; RFC 8314 TLS, RFC 3207 STARTTLS, RFC 4954 AUTH).
//
// Threats: a man in the middle who strips STARTTLS (it is required: the mail waits) or shows a certificate of
// his own (the chain and the name are always checked; an own CA by `ca_file`, never "trust all") ·
// credentials and links on the wire in clear (plain SMTP to this machine only, unless told otherwise) · a
// server that never answers (time limits; a thread of the sender's own) · secrets in errors (of what we send
// only the verb is kept; addresses are struck out of what the server says).
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "mail/smtp_url.hpp"
#include "mail/transport.hpp"

namespace keyward::mail {

struct SmtpSettings {
  SmtpUrl url;
  std::string username;  // empty: no AUTH
  Secret password;
  std::filesystem::path ca_file;  // empty: the system's
  std::chrono::seconds send_timeout{30};
};

class Smtp final : public Transport {
 public:
  explicit Smtp(SmtpSettings settings);
  ~Smtp() override;

  Delivery blocking_deliver(const OutgoingMessage& message, const std::stop_token& stop) override;
  void rest() override;

 private:
  struct Handle;  // an open connection, kept between two mails
  std::unique_ptr<Handle> take_handle();
  void keep(std::unique_ptr<Handle> handle);

  SmtpSettings settings_;
  std::string url_;  // as curl has it
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace keyward::mail
