#include "app/config/mail_check.hpp"

#include <fmt/format.h>

#include <fstream>

#include "mail/smtp_url.hpp"

namespace keyward::app {

namespace {

class MailChecker {
 public:
  explicit MailChecker(const Config& config) : config_(config), mail_(config.mail) {}

  std::vector<ConfigError> check() {
    check_from();
    if (!mail_.smtp_url.empty()) check_server();
    if (mail_.username.empty() != mail_.password.empty())
      refuse("mail.username", "needs mail.password, and the other way round");
    if (!mail_.ca_file.empty() && !std::ifstream{mail_.ca_file})
      refuse("mail.ca_file", fmt::format("{} cannot be read", mail_.ca_file.string()));
    return std::move(errors_);
  }

 private:
  void refuse(std::string_view key, std::string message) {
    const auto origin = config_.origins.find(key);
    errors_.push_back(
        {std::string{key}, origin == config_.origins.end() ? "" : origin->second, std::move(message)});
  }

  void check_from() {
    if (!mail_.from.empty()) {
      if (const auto from = mail::parse_mailbox(mail_.from); !from) refuse("mail.from", from.error());
    } else if (!mail_.smtp_url.empty()) {
      refuse("mail.from", "is needed with mail.smtp_url: the address that mails come from");
    }
  }

  void check_server() {
    const auto url = mail::parse_smtp_url(mail_.smtp_url);
    if (!url) {
      refuse("mail.smtp_url", url.error());
    } else if (url->protection == mail::SmtpUrl::Protection::none && !mail::is_this_machine(*url) &&
               !mail_.allow_clear_text) {
      refuse("mail.smtp_url",
             "would send passwords and links over the network in clear: use smtps:// or smtp+starttls://, or "
             "set mail.allow_clear_text if the network is yours alone");
    }
  }

  const Config& config_;
  const MailConfig& mail_;
  std::vector<ConfigError> errors_;
};

std::string_view host_of(std::string_view origin) {
  origin.remove_prefix(origin.find("://") + 3);
  return origin.substr(0, origin.find(':'));
}

}  // namespace

std::vector<ConfigError> check_mail(const Config& config) { return MailChecker{config}.check(); }

mail::Mailbox mail_from(const Config& config) {
  auto from = mail::parse_mailbox(config.mail.from);
  if (!from) from = mail::parse_mailbox(fmt::format("no-reply@{}", host_of(config.server.public_url)));
  if (!from) from = mail::parse_mailbox("no-reply@keyward.invalid");  // an address of this machine only
  return *from;
}

}  // namespace keyward::app
