#include "app/mail_setup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/config/mail_check.hpp"
#include "mail/eml_files.hpp"
#include "mail/smtp.hpp"

namespace keyward::app {

mail::OutboxSettings to_outbox_settings(const Config& config) {
  return {.message_id_domain = std::string{mail::domain_of(mail_from(config).address)},
          .locale = config.mail.locale};
}

mail::SenderSettings to_sender_settings(const Config& config) {
  return {.from = mail_from(config),
          .service_name = config.mail.service_name,
          .public_url = config.server.public_url,
          .threads = config.mail.threads,
          .send_timeout = config.mail.send_timeout_s,
          .poll_interval = config.mail.poll_interval_s};
}

Result<mail::Templates> load_templates(const Config& config) {
  auto templates = mail::Templates::load(config.mail.templates);
  if (templates && !templates->has_locale(config.mail.locale)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("mail.locale is {}, for which there are no templates; there are {}",
                            config.mail.locale, fmt::join(templates->locales(), ", ")));
  }
  if (templates) {
    auto good = mail::check_samples(to_sender_settings(config), *templates, SystemClock{}.now());
    if (!good) return fail_from(good);
  }
  return templates;
}

std::filesystem::path eml_folder(const Config& config) { return config.storage.data / "outbox"; }

std::unique_ptr<mail::Transport> make_transport(const Config& config) {
  if (config.mail.smtp_url.empty()) return std::make_unique<mail::EmlFiles>(eml_folder(config));
  return std::make_unique<mail::Smtp>(
      mail::SmtpSettings{.url = mail::parse_smtp_url(config.mail.smtp_url).value(),
                         .username = config.mail.username,
                         .password = config.mail.password.copy(),
                         .ca_file = config.mail.ca_file,
                         .send_timeout = config.mail.send_timeout_s});
}

}  // namespace keyward::app
