// keyward serve
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "app/application.hpp"
#include "app/commands/command.hpp"
#include "app/setup_token_file.hpp"
#include "base/log.hpp"

namespace keyward::app {

namespace {

/// What a newcomer wants to know, on standard error: where it is, where the data is, and three lines to
/// paste.
void greet(const Application& application) {
  const auto& url = application.config().server.public_url;
  fmt::print(stderr,
             "\nKeyward {0} listens on {1}; its data is in {2}.\nTry it:\n\n"
             "  curl -sS {1}/register -H 'Content-Type: application/json' -d "
             "'{{\"email\":\"ada@example.com\",\"password\":\"violet orbit candle 94\"}}'\n"
             "  TOKEN=$(curl -sS {1}/login -d email=ada@example.com --data-urlencode 'password=violet orbit "
             "candle 94' | "
             "sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n"
             "  curl -sS {1}/me -H \"Authorization: Bearer $TOKEN\"\n\n"
             "The API in a browser: {1}/docs\n\n",
             KEYWARD_VERSION, url, application.config().storage.data.string());
}

/// The only time that the token is shown: on standard error, which is no log of ours.
void show_setup_token(const Application& application) {
  const auto& token = application.new_setup_token();
  if (!token) return;
  const auto& config = application.config();
  fmt::print(stderr,
             "There is no admin yet. Make yourself the first with a POST to {}/setup of\n\n"
             R"(  {{"token": "{}", "email": ..., "password": ...}})"
             "\n\nThe token works once; until then it is also in {}.\n\n",
             config.server.public_url, token->text(), setup_token_path(config).string());
}

}  // namespace

int serve(const CommonFlags& flags) {
  // A reader of our log that goes away, or a limit on the size of files, must not take the server with it:
  // both are errors that their callers see.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  const LogWriter writer;  // from here on, a reader of the log that stands still holds up nobody
  auto manager = web::ServiceManager::from_environment(web::ServiceManager::own_environment(), ::getpid());
  if (!manager) return complain(manager.error().message);
  auto application = Application::open(std::move(*config), std::move(*manager));
  if (!application) return complain(application.error().message);
  if ((*application)->first_start()) greet(**application);
  show_setup_token(**application);
  const bool drained = (*application)->run();
  // All that is left is to tidy up: an impatient second signal must not make a failure of a finished drain.
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  return drained ? exit_done : exit_failed;
}

}  // namespace keyward::app
