// What the settings say about mail, in the words of src/mail.
#pragma once

#include <filesystem>
#include <memory>

#include "app/config/config.hpp"
#include "mail/outbox.hpp"
#include "mail/sender.hpp"
#include "mail/templates.hpp"
#include "mail/transport.hpp"

namespace keyward::app {

mail::OutboxSettings to_outbox_settings(const Config& config);
mail::SenderSettings to_sender_settings(const Config& config);
/// Also checks that every mail can be composed in every language.
Result<mail::Templates> load_templates(const Config& config);
/// Where mails are files when no SMTP server is configured.
std::filesystem::path eml_folder(const Config& config);
/// SMTP when a server is configured, else files in the data folder.
std::unique_ptr<mail::Transport> make_transport(const Config& config);

}  // namespace keyward::app
