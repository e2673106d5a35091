#include "app/social_logins.hpp"

namespace keyward::app {

SocialLogins::SocialLogins(const Config& config, Core& core, features::Providers providers, Uses uses)
    : providers_(std::move(providers)),
      logins_(*core.master_key, core.random),
      documents_(client_, core.clock),
      conversation_({client_, documents_, core.clock, core.random}),
      matching_({uses.mails, *core.events, *core.revisions, core.random, uses.needs_verified_email}),
      social_login{*core.database,
                   providers_,
                   conversation_,
                   logins_,
                   matching_,
                   uses.sessions,
                   uses.limits,
                   *core.events,
                   core.clock,
                   core.random,
                   config.server.public_url,
                   config.social.return_to_origins},
      exchange{*core.database,  uses.sessions, uses.limits, uses.mails,
               *core.revisions, *core.events,  core.clock},
      identities{*core.database,
                 providers_,
                 logins_,
                 uses.current_password,
                 uses.limits,
                 uses.mails,
                 *core.revisions,
                 *core.events,
                 core.clock,
                 config.server.public_url,
                 config.social.return_to_origins} {}

}  // namespace keyward::app
