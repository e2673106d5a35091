#include "mail/mails.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "text/unicode.hpp"

namespace keyward::mail {

namespace {

using std::string_view_literals::operator""sv;

constexpr std::array common{"service"sv, "public_url"sv, "recipient"sv, "name"sv};
constexpr std::array link_variables{"link"sv, "code"sv, "expires_at"sv};
constexpr std::array confirm_variables{"link"sv, "code"sv, "expires_at"sv, "old_email"sv};
constexpr std::array changed_variables{"new_email"sv, "time"sv, "device"sv, "address"sv};
constexpr std::array identity_variables{"provider"sv, "time"sv, "device"sv, "address"sv};
constexpr std::array undo_variables{"link"sv, "new_email"sv, "expires_at"sv};
constexpr std::array occurrence_variables{"time"sv, "device"sv, "address"sv};
constexpr std::array url_variables{"link"sv};
constexpr std::array time_variables{"time"sv};

Variables to_variables(const Link& link) {
  return {{"link", link.url}, {"code", link.code}, {"expires_at", to_words(link.expires_at)}};
}

Variables to_variables(const Occurrence& what) {
  return {{"time", to_words(what.at)}, {"device", what.device}, {"address", what.address}};
}

}  // namespace

std::string_view to_string(MailKind kind) {
  switch (kind) {
    case MailKind::verify_email:
      return "verify_email";
    case MailKind::reset_password:
      return "reset_password";
    case MailKind::password_changed:
      return "password_changed";
    case MailKind::email_change_confirm:
      return "email_change_confirm";
    case MailKind::email_change_warn:
      return "email_change_warn";
    case MailKind::email_changed:
      return "email_changed";
    case MailKind::account_deleted:
      return "account_deleted";
    case MailKind::identity_connected:
      return "identity_connected";
    case MailKind::identity_disconnected:
      return "identity_disconnected";
    case MailKind::new_device:
      return "new_device";
    case MailKind::login_after_failures:
      return "login_after_failures";
    case MailKind::session_ended_reuse:
      return "session_ended_reuse";
    case MailKind::already_registered:
      return "already_registered";
    case MailKind::test:
      return "test";
  }
  return "";
}

std::optional<MailKind> parse_mail_kind(std::string_view name) {
  const auto* const found = std::ranges::find(all_mail_kinds, name, to_string);
  if (found == all_mail_kinds.end()) return std::nullopt;
  return *found;
}

std::span<const std::string_view> common_variables() { return common; }

std::span<const std::string_view> variables_of(MailKind kind) {
  switch (kind) {
    case MailKind::verify_email:
    case MailKind::reset_password:
      return link_variables;
    case MailKind::email_change_confirm:
      return confirm_variables;
    case MailKind::email_changed:
      return changed_variables;
    case MailKind::email_change_warn:
      return undo_variables;
    case MailKind::identity_connected:
    case MailKind::identity_disconnected:
      return identity_variables;
    case MailKind::password_changed:
    case MailKind::new_device:
    case MailKind::login_after_failures:
    case MailKind::account_deleted:
    case MailKind::session_ended_reuse:
      return occurrence_variables;
    case MailKind::already_registered:
      return url_variables;
    case MailKind::test:
      return time_variables;
  }
  return {};
}

Mail verify_email(Addressee to, const Link& link) {
  return {MailKind::verify_email, std::move(to), to_variables(link), link.expires_at};
}

Mail reset_password(Addressee to, const Link& link) {
  return {MailKind::reset_password, std::move(to), to_variables(link), link.expires_at};
}

Mail password_changed(Addressee to, const Occurrence& what) {
  return {MailKind::password_changed, std::move(to), to_variables(what), std::nullopt};
}

Mail email_change_confirm(Addressee to, const text::EmailAddress& old_email, const Link& link) {
  auto variables = to_variables(link);
  variables.emplace("old_email", to_shown(old_email));
  return {MailKind::email_change_confirm, std::move(to), std::move(variables), link.expires_at};
}

Mail email_change_warn(Addressee to, const text::EmailAddress& new_email, const Link& undo) {
  return {MailKind::email_change_warn,
          std::move(to),
          {{"link", undo.url}, {"new_email", to_shown(new_email)}, {"expires_at", to_words(undo.expires_at)}},
          undo.expires_at};
}

Mail email_changed(Addressee to, const text::EmailAddress& new_email, const Occurrence& what) {
  auto variables = to_variables(what);
  variables.emplace("new_email", to_shown(new_email));
  return {MailKind::email_changed, std::move(to), std::move(variables), std::nullopt};
}

Mail account_deleted(Addressee to, const Occurrence& what) {
  return {MailKind::account_deleted, std::move(to), to_variables(what), std::nullopt};
}

namespace {

Mail about_identity(MailKind kind, Addressee to, std::string_view provider, const Occurrence& what) {
  auto variables = to_variables(what);
  variables.emplace("provider", provider);
  return {kind, std::move(to), std::move(variables), std::nullopt};
}

}  // namespace

Mail identity_connected(Addressee to, std::string_view provider, const Occurrence& what) {
  return about_identity(MailKind::identity_connected, std::move(to), provider, what);
}

Mail identity_disconnected(Addressee to, std::string_view provider, const Occurrence& what) {
  return about_identity(MailKind::identity_disconnected, std::move(to), provider, what);
}

Mail new_device(Addressee to, const Occurrence& what) {
  return {MailKind::new_device, std::move(to), to_variables(what), std::nullopt};
}

Mail login_after_failures(Addressee to, const Occurrence& what) {
  return {MailKind::login_after_failures, std::move(to), to_variables(what), std::nullopt};
}

Mail session_ended_reuse(Addressee to, const Occurrence& what) {
  return {MailKind::session_ended_reuse, std::move(to), to_variables(what), std::nullopt};
}

Mail already_registered(Addressee to, const std::string& url) {
  return {MailKind::already_registered, std::move(to), {{"link", url}}, std::nullopt};
}

Mail test(Addressee to, Time now) {
  return {MailKind::test, std::move(to), {{"time", to_words(now)}}, std::nullopt};
}

Mail sample(MailKind kind, Addressee to, std::string_view public_url, Time now) {
  const Link link{.url = fmt::format("{}/sample#token=kw_sample_Zm9yIHByZXZpZXdzIG9ubHk", public_url),
                  .code = "K7PM-2QXD",
                  .expires_at = now + std::chrono::hours{1}};
  const Occurrence what{.at = now, .device = "Firefox on Linux", .address = "203.0.113.7"};
  switch (kind) {
    case MailKind::verify_email:
      return verify_email(std::move(to), link);
    case MailKind::reset_password:
      return reset_password(std::move(to), link);
    case MailKind::password_changed:
      return password_changed(std::move(to), what);
    case MailKind::email_change_confirm:
      return email_change_confirm(std::move(to), {"ada@example.com", "ada@example.com"}, link);
    case MailKind::email_change_warn:
      return email_change_warn(std::move(to), {"ada.new@example.com", "ada.new@example.com"}, link);
    case MailKind::email_changed:
      return email_changed(std::move(to), {"ada.new@example.com", "ada.new@example.com"}, what);
    case MailKind::account_deleted:
      return account_deleted(std::move(to), what);
    case MailKind::identity_connected:
      return identity_connected(std::move(to), "Example", what);
    case MailKind::identity_disconnected:
      return identity_disconnected(std::move(to), "Example", what);
    case MailKind::new_device:
      return new_device(std::move(to), what);
    case MailKind::login_after_failures:
      return login_after_failures(std::move(to), what);
    case MailKind::session_ended_reuse:
      return session_ended_reuse(std::move(to), what);
    case MailKind::already_registered:
      return already_registered(std::move(to), fmt::format("{}/", public_url));
    case MailKind::test:
      break;
  }
  return test(std::move(to), now);
}

std::string to_shown(const text::EmailAddress& email) {
  const std::string_view text = email.as_typed;
  const auto at = text.rfind('@');
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '+' || c == '-';
  };
  const auto local = text.substr(0, at);
  if (at == std::string_view::npos || (std::ranges::all_of(local, is_plain) && !local.contains("www.")))
    return email.as_typed;
  return fmt::format("…{}", text.substr(at));
}

std::string to_greeting(const std::optional<std::string>& full_name) {
  constexpr std::size_t words_max = 4;  // a sentence is no name
  if (!full_name || !text::is_made_of_names(*full_name, words_max)) return {};
  if (text::count_code_points(*full_name) > limits::mail_greeting_max_code_points) return {};
  return *full_name;
}

std::string to_words(Time time) {
  const auto minutes = std::chrono::floor<std::chrono::minutes>(time);
  const std::string text = to_rfc3339(std::chrono::time_point_cast<microseconds>(minutes));
  return fmt::format("{} {} UTC", text.substr(0, 10), text.substr(11, 5));  // 2026-11-25T09:10:00Z
}

}  // namespace keyward::mail
