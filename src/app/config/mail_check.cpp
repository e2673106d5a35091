#include "app/config/mail_check.hpp"

#include <fmt/format.h>

#include <fstream>

#include "base/limits.hpp"
#include "crypto/certificates.hpp"
#include "mail/smtp_url.hpp"
#include "text/unicode.hpp"

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
    check_service_name();
    if (!mail_.ca_file.empty()) check_ca_file();
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

  /// It stands in subjects and in sentences.
  void check_service_name() {
    const auto& name = mail_.service_name;
    if (!text::is_utf8(name) || text::has_hidden_character(name) ||
        text::count_code_points(name) > limits::mail_greeting_max_code_points) {
      refuse("mail.service_name",
             fmt::format(
                 "must be one line of UTF-8 without controls or marks of direction, of {} characters at most",
                 limits::mail_greeting_max_code_points));
    }
  }

  void check_ca_file() {
    std::error_code error;
    if (!std::filesystem::is_regular_file(mail_.ca_file, error)) {
      refuse("mail.ca_file", fmt::format("{} is no file", mail_.ca_file.string()));
      return;
    }
    std::ifstream stream{mail_.ca_file, std::ios::binary};
    const std::string pem{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) {
      refuse("mail.ca_file", fmt::format("{} cannot be read", mail_.ca_file.string()));
    } else if (crypto::count_certificates(pem) == 0) {
      refuse("mail.ca_file", fmt::format("{} has no certificate (PEM)", mail_.ca_file.string()));
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
