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

MessageParts to_parts(const SenderSettings& settings, const domain::ClaimedMail& mail,
                      const Rendered& rendered) {
  return {.from = settings.from,
          .to = mail.recipient,
          .subject = rendered.subject,
          .text = rendered.text,
          .html = rendered.html,
          .locale = rendered.locale,
          .message_id = mail.message_id,
          .boundary = "keyward-" + mail.id.to_string(),
          .date = mail.created_at};
}

}  // namespace

Result<std::string> compose_mail(const SenderSettings& settings, const Templates& templates, MailKind kind,
                                 const domain::ClaimedMail& mail, Variables variables) {
  return compose(to_parts(settings, mail, fill(settings, templates, kind, mail, std::move(variables))));
}

Sample make_sample(const SenderSettings& settings, MailKind kind, const std::string& locale, Time now) {
  auto mail = sample(kind,
                     {.email = {"ada@example.com", "ada@example.com"},
                      .full_name = "Ada",
                      .account_id = {},
                      .locale = locale},
                     settings.public_url, now);
  mail.variables.emplace("name", to_greeting(mail.to.full_name));
  return {.row = {.id = {},
                  .kind = std::string{to_string(kind)},
                  .locale = locale,
                  .recipient = mail.to.email.as_typed,
                  .message_id = "preview@keyward.invalid",
                  .content_sealed = {},
                  .created_at = now,
                  .expires_at = now,
                  .attempts = 0},
          .variables = std::move(mail.variables)};
}

Result<void> check_samples(const SenderSettings& settings, const Templates& templates, Time now) {
  for (const auto& locale : templates.locales()) {
    for (const auto kind : all_mail_kinds) {
      const auto [row, variables] = make_sample(settings, kind, locale, now);
      const auto good = check_parts(to_parts(settings, row, fill(settings, templates, kind, row, variables)));
      if (!good)
        return fail(ErrorCode::invalid_input,
                    fmt::format("{}/{}: {}", locale, row.kind, good.error().message));
    }
  }
  return {};
}

Result<Preview> make_preview(const SenderSettings& settings, const Templates& templates, MailKind kind,
                             const domain::ClaimedMail& mail, Variables variables) {
  auto rendered = fill(settings, templates, kind, mail, std::move(variables));
  auto eml = compose(to_parts(settings, mail, rendered));
  if (!eml) return fail_from(eml);
  return Preview{.text = fmt::format("Subject: {}\n\n{}", rendered.subject, rendered.text),
                 .html = std::move(rendered.html),
                 .eml = std::move(*eml)};
}

}  // namespace keyward::mail
