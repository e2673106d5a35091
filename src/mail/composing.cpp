#include "mail/composing.hpp"

#include <fmt/format.h>

#include "mail/message.hpp"

namespace keyward::mail {

namespace {

Rendered fill(const SenderSettings& settings, const Templates& templates, MailKind kind,
              const domain::ClaimedMail& mail, Variables variables) {
  variables.insert_or_assign("service", settings.service_name);
  variables.insert_or_assign("public_url", settings.public_url);
  variables.insert_or_assign("recipient", mail.recipient);
  return templates.render(kind, mail.locale, variables);
}

Result<std::string> compose_rendered(const SenderSettings& settings, const domain::ClaimedMail& mail,
                                     const Rendered& rendered) {
  return compose({.from = settings.from,
                  .to = mail.recipient,
                  .subject = rendered.subject,
                  .text = rendered.text,
                  .html = rendered.html,
                  .locale = rendered.locale,
                  .message_id = mail.message_id,
                  .boundary = "keyward-" + mail.id.to_string(),
                  .date = mail.created_at});
}

}  // namespace

Result<std::string> compose_mail(const SenderSettings& settings, const Templates& templates, MailKind kind,
                                 const domain::ClaimedMail& mail, Variables variables) {
  return compose_rendered(settings, mail, fill(settings, templates, kind, mail, std::move(variables)));
}

Result<Preview> make_preview(const SenderSettings& settings, const Templates& templates, MailKind kind,
                             const domain::ClaimedMail& mail, Variables variables) {
  auto rendered = fill(settings, templates, kind, mail, std::move(variables));
  auto eml = compose_rendered(settings, mail, rendered);
  if (!eml) return fail_from(eml);
  return Preview{.text = fmt::format("Subject: {}\n\n{}", rendered.subject, rendered.text),
                 .html = std::move(rendered.html),
                 .eml = std::move(*eml)};
}

}  // namespace keyward::mail
