#include "mail/outbox.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "base/limits.hpp"
#include "crypto/aead.hpp"
#include "crypto/digest.hpp"
#include "mail/mailbox.hpp"
#include "text/json.hpp"
#include "text/unicode.hpp"

namespace keyward::mail {

namespace json = boost::json;

std::string to_value(std::string_view text) {
  std::string value = text::to_storable_text(text, limits::mail_value_max_bytes);
  if (!text::has_control_character(value)) return value;
  // C0 and DEL are single bytes; C1 and the line separators are a lead byte and one or two more.
  std::string clean;
  for (std::size_t at = 0; at < value.size(); ++at) {
    const auto byte = static_cast<unsigned char>(value[at]);
    const std::string_view rest = std::string_view{value}.substr(at);
    const bool is_c1 = byte == 0xc2 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xa0;
    const bool is_separator = rest.starts_with("\u2028") || rest.starts_with("\u2029");
    if (is_c1) at += 1;
    if (is_separator) at += 2;
    clean += byte < 0x20 || byte == 0x7f || is_c1 || is_separator ? ' ' : value[at];
  }
  return clean;
}

Outbox::Outbox(const crypto::MasterKey& master_key, const Clock& clock, Random& random,
               OutboxSettings settings)
    : key_(master_key.derive("outbox 1")),
      recipients_key_(master_key.derive("outbox recipients 1")),
      clock_(clock),
      random_(random),
      settings_(std::move(settings)) {}

Uuid Outbox::enqueue(storage::Transaction& transaction, const Mail& mail) {
  json::object content;
  for (const auto name : variables_of(mail.kind)) {
    const auto found = mail.variables.find(name);
    if (found == mail.variables.end())
      throw std::logic_error(fmt::format("a mail {} without its {}", to_string(mail.kind), name));
    content.emplace(name, to_value(found->second));
  }
  content.emplace("name", to_greeting(mail.to.full_name));
  std::string text = json::serialize(content);
  const auto plaintext = Secret::take(text);

  const auto now = clock_.now();
  const auto id = Uuid::make_v7(now, random_);
  domain::insert_outgoing_mail(
      transaction, {.id = id,
                    .kind = std::string{to_string(mail.kind)},
                    .locale = mail.to.locale.empty() ? settings_.locale : mail.to.locale,
                    .account_id = mail.to.account_id,
                    .recipient = to_wire_address(mail.to.email),
                    .recipient_key = recipient_key(mail.to.email),
                    .message_id = fmt::format("{}@{}", id.to_string(), settings_.message_id_domain),
                    .content_sealed = crypto::seal(key_, plaintext, id.bytes, random_),
                    .created_at = now,
                    .expires_at = mail.expires_at.value_or(now + limits::mail_notice_lifetime)});
  transaction.after_commit([this] { doorbell_.ring(); });
  return id;
}

Bytes Outbox::recipient_key(const text::EmailAddress& to) const {
  const auto mac = crypto::hmac_sha256(recipients_key_.bytes(), as_bytes(to.normalized));
  return {mac.begin(), mac.end()};
}

std::int64_t Outbox::count_since(storage::Transaction& transaction, const text::EmailAddress& to,
                                 MailKind kind, Time since) const {
  return domain::count_mails_since(transaction, recipient_key(to), to_string(kind), since);
}

Result<Variables> Outbox::open(const domain::ClaimedMail& mail) const {
  if (!mail.content_sealed) return fail(ErrorCode::internal, "The mail's content is gone");
  const auto opened = crypto::open(key_, *mail.content_sealed, mail.id.bytes);
  if (!opened) return fail(ErrorCode::internal, "The master key does not open the mail's content");
  const auto parsed = text::parse_json(opened->text());
  if (!parsed || !parsed->is_object()) return fail(ErrorCode::internal, "The mail's content is no object");
  Variables variables;
  for (const auto& [name, value] : parsed->get_object()) {
    if (!value.is_string())
      return fail(ErrorCode::internal, "The mail's content has a member that is no text");
    variables.emplace(std::string_view{name}, std::string_view{value.get_string()});
  }
  return variables;
}

}  // namespace keyward::mail
