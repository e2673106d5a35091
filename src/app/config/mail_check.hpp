// What the settings of [mail] mean, and what is wrong with them.
#pragma once

#include <vector>

#include "app/config/config.hpp"
#include "mail/mailbox.hpp"

namespace keyward::app {

/// Everything but the templates, which `keyward config check` and every start load.
std::vector<ConfigError> check_mail(const Config& config);

/// mail.from, or no-reply@ the host of the public URL: for mails that become files.
mail::Mailbox mail_from(const Config& config);

}  // namespace keyward::app
