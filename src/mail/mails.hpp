// The mails that Keyward sends: one function each, which says what the mail tells.
//
//   outbox.enqueue(transaction, mail::reset_password(addressee, {.url = link, .code = code, .expires_at =
//   …}));
//
// Each kind has a template of its name (templates.hpp). Threats: a mail made to carry somebody else's words
// (a stranger registers your address with the name "win.example/prize": a name that has more in it than a
// name is left out of the greeting) · a header or a line made by input (every value is one line without
// controls) · a notice that comes too late to matter (each kind has its time to live).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "text/email.hpp"
#include "text/template_text.hpp"

namespace keyward::mail {

enum class MailKind : std::uint8_t {
  verify_email,
  reset_password,
  password_changed,
  email_change_confirm,
  email_change_warn,
  email_changed,
  account_deleted,
  identity_connected,
  identity_disconnected,
  new_device,
  login_after_failures,
  session_ended_reuse,
  already_registered,
  test,
};

inline constexpr std::array all_mail_kinds{MailKind::verify_email,          MailKind::reset_password,
                                           MailKind::password_changed,      MailKind::email_change_confirm,
                                           MailKind::email_change_warn,     MailKind::email_changed,
                                           MailKind::account_deleted,       MailKind::identity_connected,
                                           MailKind::identity_disconnected, MailKind::new_device,
                                           MailKind::login_after_failures,  MailKind::session_ended_reuse,
                                           MailKind::already_registered,    MailKind::test};

/// The template's name, "verify_email".
std::string_view to_string(MailKind kind);
std::optional<MailKind> parse_mail_kind(std::string_view name);

using text::Variables;

/// What a mail's template can name: its own variables and those that every mail has.
std::span<const std::string_view> variables_of(MailKind kind);
/// service, public_url, recipient, name.
std::span<const std::string_view> common_variables();

struct Addressee {
  text::EmailAddress email;
  std::optional<std::string> full_name;
  std::optional<Uuid> account_id;
  std::string locale;  // "de", "de-AT"; empty: the configured one
};

/// A link of ours with its token, and the short code for people on another device (empty: none).
struct Link {
  std::string url;
  std::string code;
  Time expires_at;
};

/// Something that happened to an account.
struct Occurrence {
  Time at;
  std::string device;   // the User-Agent
  std::string address;  // of the network
};

struct Mail {
  MailKind kind;
  Addressee to;
  Variables variables;  // all of the kind's own
  /// From then on it is not sent any more; none: limits::mail_notice_lifetime from its enqueuing.
  std::optional<Time> expires_at;
};

Mail verify_email(Addressee to, const Link& link);
Mail reset_password(Addressee to, const Link& link);
Mail password_changed(Addressee to, const Occurrence& what);
/// To the new address, of an account that has another one now: whoever gets it must know whose it is.
Mail email_change_confirm(Addressee to, const text::EmailAddress& old_email, const Link& link);
/// To the old address; the link undoes the change.
Mail email_change_warn(Addressee to, const text::EmailAddress& new_email, const Link& undo);
/// To the address that the account had until now.
Mail email_changed(Addressee to, const text::EmailAddress& new_email, const Occurrence& what);
Mail account_deleted(Addressee to, const Occurrence& what);
/// One can log in to the account by this provider from now on.
Mail identity_connected(Addressee to, std::string_view provider, const Occurrence& what);
Mail identity_disconnected(Addressee to, std::string_view provider, const Occurrence& what);
Mail new_device(Addressee to, const Occurrence& what);
Mail login_after_failures(Addressee to, const Occurrence& what);
Mail session_ended_reuse(Addressee to, const Occurrence& what);
/// Somebody registered an address that has an account. `url` is where its owner logs in or resets.
Mail already_registered(Addressee to, const std::string& url);
/// For whoever sets the server up.
Mail test(Addressee to, Time now);

/// A mail of the kind with made-up values, for previews and for checking templates.
Mail sample(MailKind kind, Addressee to, std::string_view public_url, Time now);

/// An address as a mail shows it that goes to somebody else: what is more than a plain name before the @ is
/// left out, since mail programs make links of it.
std::string to_shown(const text::EmailAddress& email);

/// The name to greet with; nothing when it is none or has more in it than a name.
std::string to_greeting(const std::optional<std::string>& full_name);

/// "2026-11-25 09:10 UTC"
std::string to_words(Time time);

}  // namespace keyward::mail
