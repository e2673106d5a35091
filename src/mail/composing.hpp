// From a row of the outbox to the message that goes out: the template of its kind, filled in.
#pragma once

#include <chrono>
#include <string>

#include "base/error.hpp"
#include "domain/outbox/outgoing_mails.hpp"
#include "mail/mailbox.hpp"
#include "mail/mails.hpp"
#include "mail/templates.hpp"

namespace keyward::mail {

struct SenderSettings {
  Mailbox from;
  std::string service_name;
  std::string public_url;
  std::size_t threads = 2;
  std::chrono::seconds send_timeout{30};
  std::chrono::seconds poll_interval{30};
};

/// `variables` are the mail's own; the common ones are added. Error: it cannot be composed.
Result<std::string> compose_mail(const SenderSettings& settings, const Templates& templates, MailKind kind,
                                 const domain::ClaimedMail& mail, Variables variables);

/// A made-up mail of the kind, for a preview or a check.
struct Sample {
  domain::ClaimedMail row;
  Variables variables;
};
Sample make_sample(const SenderSettings& settings, MailKind kind, const std::string& locale, Time now);

/// That every mail can be composed in every language with these settings; the error names the one that
/// cannot.
Result<void> check_samples(const SenderSettings& settings, const Templates& templates, Time now);

struct Preview {
  std::string text;  // with its subject on top
  std::string html;
  std::string eml;
};
Result<Preview> make_preview(const SenderSettings& settings, const Templates& templates, MailKind kind,
                             const domain::ClaimedMail& mail, Variables variables);

}  // namespace keyward::mail
