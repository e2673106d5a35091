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
  return text::to_one_line(text::to_storable_text(text, limits::mail_value_max_bytes));
}

namespace {

/// What a content belongs to. Each text has its length before it, so no two mails have the same.
Bytes binding_of(const Uuid& id, std::string_view kind, std::string_view recipient, Time expires_at) {
  Bytes binding{id.bytes.begin(), id.bytes.end()};
  for (const auto text : {kind, recipient}) {
    append_big_endian(binding, text.size());
    binding.insert(binding.end(), text.begin(), text.end());
  }
  append_big_endian(binding, static_cast<std::uint64_t>(expires_at.time_since_epoch().count()));
  return binding;
}

}  // namespace

Outbox::Outbox(const crypto::MasterKey& master_key, const Clock& clock, Random& random,
               OutboxSettings settings)
    : key_(master_key.derive("outbox 2")),
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
  domain::NewOutgoingMail row{.id = id,
                              .kind = std::string{to_string(mail.kind)},
                              .locale = mail.to.locale.empty() ? settings_.locale : mail.to.locale,
                              .account_id = mail.to.account_id,
                              .recipient = to_wire_address(mail.to.email),
                              .recipient_key = recipient_key(mail.to.email),
                              .message_id = fmt::format("{}@{}", id.to_string(), settings_.message_id_domain),
                              .content_sealed = {},
                              .created_at = now,
                              .expires_at = mail.expires_at.value_or(now + limits::mail_notice_lifetime)};
  row.content_sealed =
      crypto::seal(key_, plaintext, binding_of(id, row.kind, row.recipient, row.expires_at), random_);
  domain::insert_outgoing_mail(transaction, row);
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
  const auto opened = crypto::open(key_, *mail.content_sealed,
                                   binding_of(mail.id, mail.kind, mail.recipient, mail.expires_at));
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
