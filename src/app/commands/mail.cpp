// keyward mail list | retry | test | preview
#include <fmt/format.h>

#include <boost/json.hpp>
#include <fstream>

#include "app/commands/command.hpp"
#include "app/mail_setup.hpp"
#include "domain/outbox/outgoing_mails.hpp"

namespace keyward::app {

namespace json = boost::json;

namespace {

json::value to_json(const std::optional<Time>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

json::object to_json(const domain::OutgoingMail& mail) {
  return {{"id", mail.id.to_string()},
          {"kind", mail.kind},
          {"locale", mail.locale},
          {"recipient", mail.recipient},
          {"state", mail.state},
          {"created_at", to_rfc3339(mail.created_at)},
          {"expires_at", to_rfc3339(mail.expires_at)},
          {"due_at", to_json(mail.due_at)},
          {"attempts", mail.attempts},
          {"finished_at", to_json(mail.finished_at)},
          {"last_error", mail.last_error ? json::value(*mail.last_error) : json::value(nullptr)}};
}

void print(const CommonFlags& flags, const domain::OutgoingMail& mail) {
  if (flags.json) {
    fmt::print("{}\n", json::serialize(to_json(mail)));
    return;
  }
  fmt::print("{}  {:8}  {:20}  {}  attempts {}", mail.id.to_string(), mail.state, mail.kind, mail.recipient,
             mail.attempts);
  if (mail.last_error) fmt::print("  {}", *mail.last_error);
  fmt::print("\n");
}

/// The mail, sent by this process while its server may be down.
void send_now(Core& core, const Config& config, const mail::Templates& templates, const Uuid& id) {
  const auto transport = make_transport(config);
  mail::Sender sender{{*core.database, *core.outbox, templates, *transport, core.clock, core.random},
                      to_sender_settings(config)};
  sender.blocking_send(id);
}

bool write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream stream{path, std::ios::binary};
  stream << text;
  stream.close();
  return stream.good();
}

}  // namespace

int mail_list(const CommonFlags& flags, const MailListFlags& wanted) {
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  std::optional<Uuid> after;
  if (!wanted.after.empty()) {
    after = Uuid::parse(wanted.after);
    if (!after) return complain("--after takes the id of a mail");
  }
  auto mails = core->database->blocking_read([&](storage::Transaction& transaction) {
    return domain::list_outgoing_mails(transaction, wanted.state, after, wanted.limit + 1);
  });
  // One row more than asked for tells whether there is a next page.
  json::value next = nullptr;
  if (std::ssize(mails) > wanted.limit) {
    mails.pop_back();
    next = mails.back().id.to_string();
  }
  if (!flags.json) {
    for (const auto& mail : mails) print(flags, mail);
    return exit_done;
  }
  json::array items;
  for (const auto& mail : mails) items.push_back(to_json(mail));
  fmt::print("{}\n", json::serialize(json::object{{"items", std::move(items)}, {"next", std::move(next)}}));
  return exit_done;
}

int mail_retry(const CommonFlags& flags, const std::string& id) {
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  std::optional<Uuid> one;
  if (!id.empty()) {
    one = Uuid::parse(id);
    if (!one) return complain("that is no id of a mail; see keyward mail list");
  }
  const auto count = core->database->blocking_write([&](storage::Transaction& transaction) {
    return domain::retry_mails(transaction, one, core->clock.now());
  });
  if (one && count == 0) return complain("no mail of this id waits or failed, or it has expired");
  fmt::print("{}\n", flags.json ? json::serialize(json::object{{"due", count}})
                                : fmt::format("{} due now; the running server sends what is due.", count));
  return exit_done;
}

int mail_test(const CommonFlags& flags, const MailTestFlags& wanted) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  const auto email = text::parse_email(wanted.address);
  if (!email) return complain(email.error().message);
  const auto templates = load_templates(*config);
  if (!templates) return complain(templates.error().message);
  const auto core = Core::open(*config);
  if (!core) return complain(core.error().message);
  const auto message = mail::test(
      {.email = *email, .full_name = {}, .account_id = {}, .locale = wanted.locale}, (*core)->clock.now());
  const auto id = (*core)->database->blocking_write(
      [&](storage::Transaction& transaction) { return (*core)->outbox->enqueue(transaction, message); });
  if (!wanted.later) send_now(**core, *config, *templates, id);
  const auto mail = (*core)->database->blocking_read(
      [&](storage::Transaction& transaction) { return domain::find_outgoing_mail(transaction, id); });
  if (!mail) return complain("the mail is gone");
  print(flags, *mail);
  return wanted.later || mail->state == domain::mail_state::sent ? exit_done : exit_failed;
}

int mail_preview(const CommonFlags& flags, const std::filesystem::path& folder) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  const auto templates = load_templates(*config);
  if (!templates) return complain(templates.error().message);
  const auto settings = to_sender_settings(*config);
  const auto now = SystemClock{}.now();
  json::array files;
  for (const auto& locale : templates->locales()) {
    std::error_code error;
    std::filesystem::create_directories(folder / locale, error);
    if (error) return complain((folder / locale).string() + ": " + error.message());
    for (const auto kind : mail::all_mail_kinds) {
      const auto [row, variables] = mail::make_sample(settings, kind, locale, now);
      const auto made = mail::make_preview(settings, *templates, kind, row, variables);
      if (!made) return complain(made.error().message);
      const auto path = folder / locale / row.kind;
      for (const auto& [suffix, text] :
           {std::pair{".txt", &made->text}, {".html", &made->html}, {".eml", &made->eml}}) {
        if (!write_file(path.string() + suffix, *text))
          return complain(path.string() + suffix + " cannot be written");
        if (!flags.json) fmt::print("{}{}\n", path.string(), suffix);
        files.emplace_back(path.string() + suffix);
      }
    }
  }
  if (flags.json)
    fmt::print("{}\n", json::serialize(json::object{{"items", std::move(files)}, {"next", nullptr}}));
  return exit_done;
}

}  // namespace keyward::app
