#include "app/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "app/commands/command.hpp"
#include "app/config/listen_address.hpp"

namespace keyward::app {

namespace {

/// The parsed words. Subcommands fill it in and set `run` to what is to be done.
struct Words {
  CommonFlags common;
  NewUserFlags new_user;
  UserListFlags user_list;
  UserRoleFlags user_role;
  std::string name, who, url;
  TargetFlags target;
  MailListFlags mail_list;
  MailTestFlags mail_test;
  std::filesystem::path jwks, checkpoints, folder;
  std::int64_t limit = 100;
  bool now = false, compromised = false, signature_only = false, plan = false, password_stdin = false,
       follow = false, resume = false;
  std::function<int()> run;
};

CLI::Option& add_setting(CLI::App& command, Words& words, const std::string& flag, const std::string& setting,
                         const std::string& help) {
  return *command.add_option_function<std::string>(
      flag, [&words, setting](const std::string& value) { words.common.settings[setting] = value; }, help);
}

/// A flag's bad value is wrong usage, told before anything is read.
template <class Parse>
auto as_check(Parse parse) {
  return [parse](const std::string& value) {
    const auto parsed = parse(value);
    return parsed ? std::string{} : parsed.error();
  };
}

void add_common(CLI::App& command, Words& words) {
  command.add_option("--config", words.common.config_file, "The TOML file with the settings");
  add_setting(command, words, "--data", "storage.data", "The data folder (default ./keyward-data)");
  command.add_flag("--json", words.common.json, "Print data as JSON");
}

CLI::App& add(CLI::App& parent, Words& words, const std::string& name, const std::string& help,
              std::function<int()> run) {
  auto& command = *parent.add_subcommand(name, help);
  add_common(command, words);
  command.callback([&words, run = std::move(run)] { words.run = run; });
  return command;
}

void add_serve(CLI::App& app, Words& words) {
  auto& command = add(app, words, "serve", "Start the server", [&] { return serve(words.common); });
  add_setting(command, words, "--listen", "server.listen", "HOST:PORT to listen on (default 127.0.0.1:8080)")
      .check(as_check(parse_listen_address));
  add_setting(command, words, "--public-url", "server.public_url", "The URL that people and applications use")
      .check(as_check(parse_public_url));
  command.add_flag_callback(
      "--dev-tls", [&] { words.common.settings["tls.development"] = "true"; },
      "HTTPS with a certificate for localhost made in the data folder");
}

void add_user(CLI::App& app, Words& words) {
  auto& user = *app.add_subcommand("user", "Accounts")->require_subcommand(1);
  auto& create = add(user, words, "add", "Make an account", [&] {
    if (!words.name.empty()) words.new_user.name = words.name;
    return user_add(words.common, words.new_user);
  });
  create.add_option("email", words.new_user.email, "The e-mail address")->required();
  create.add_option("--role", words.new_user.roles, "A role, beside `user`; may be given again")
      ->take_all()
      ->allow_extra_args(false);
  create.add_option("--name", words.name, "The full name");
  create
      .add_flag("--password-stdin", words.password_stdin,
                "Read the password from the first line of standard input")
      ->required();
  auto& list =
      add(user, words, "list", "List accounts", [&] { return user_list(words.common, words.user_list); });
  list.add_option("--limit", words.user_list.limit, "How many (default 100)")->check(CLI::Range(1, 10'000));
  list.add_option("--after", words.user_list.after, "Start behind this id");
  list.add_option("--search", words.user_list.search, "Only those whose e-mail address begins so");
  list.add_option("--role", words.user_list.role, "Only those who have this role");
  list.add_flag("--disabled", words.user_list.disabled, "Only those who are disabled");
  const auto about_one = [&](const std::string& name, const std::string& help, std::function<int()> run) {
    add(user, words, name, help, std::move(run))
        .add_option("user", words.who, "E-mail address or id")
        ->required();
  };
  about_one("show", "Show an account", [&] { return user_show(words.common, words.who); });
  about_one("disable", "Refuse an account and end its sessions",
            [&] { return user_set_disabled(words.common, words.who, true); });
  about_one("enable", "Allow an account again",
            [&] { return user_set_disabled(words.common, words.who, false); });
  about_one("delete", "Delete an account", [&] { return user_delete(words.common, words.who); });
  auto& role = add(user, words, "role", "Give an account roles, or take them away",
                   [&] { return user_role(words.common, words.who, words.user_role); });
  role.add_option("user", words.who, "E-mail address or id")->required();
  role.add_option("--add", words.user_role.add, "A role to give; may be given again")
      ->take_all()
      ->allow_extra_args(false);
  role.add_option("--remove", words.user_role.remove, "A role to take away; may be given again")
      ->take_all()
      ->allow_extra_args(false);
}

void add_key(CLI::App& app, Words& words) {
  auto& key = *app.add_subcommand("key", "Signing keys")->require_subcommand(1);
  add(key, words, "list", "List the keys", [&] { return key_list(words.common); });
  auto& rotate = add(key, words, "rotate", "Publish the next key; it signs ten minutes later", [&] {
    return key_rotate(words.common, words.compromised ? domain::Rotation::compromised
                                    : words.now       ? domain::Rotation::now
                                                      : domain::Rotation::planned);
  });
  auto* now =
      rotate.add_flag("--now", words.now, "Sign with it at once; older tokens stay good until they expire");
  rotate
      .add_flag("--compromised", words.compromised,
                "Sign with it at once, and refuse every token signed before")
      ->excludes(now);
}

void add_token(CLI::App& app, Words& words) {
  auto& token = *app.add_subcommand("token", "Tokens, one a line on standard input")->require_subcommand(1);
  add(token, words, "inspect", "Print what a token says, unverified", [] { return token_inspect(); });
  auto& verify =
      add(token, words, "verify", "Verify tokens; a JSON line each: {valid, reason?, header?, payload?}",
          [&] { return token_verify(words.common, words.jwks, words.signature_only); });
  verify.add_option("--jwks", words.jwks, "A file with the JWK Set (default: the keys of the data folder)");
  verify.add_flag("--signature-only", words.signature_only, "Leave the claims unchecked");
}

void add_audit(CLI::App& app, Words& words) {
  auto& audit = *app.add_subcommand("audit", "The audit trail")->require_subcommand(1);
  add(audit, words, "verify", "Walk the hash chains and name the first broken link",
      [&] { return audit_verify(words.common, words.checkpoints); })
      .add_option("--checkpoint", words.checkpoints,
                  "Log lines kept elsewhere: their checkpoints must hold too");
  auto& tail = add(audit, words, "tail", "Print the last events",
                   [&] { return audit_tail(words.common, words.limit, words.follow); });
  tail.add_option("--limit", words.limit, "How many (default 100)")->check(CLI::Range(1, 10'000));
  tail.add_flag("--follow", words.follow, "Go on with what comes");
}

void add_mail(CLI::App& app, Words& words) {
  auto& mail = *app.add_subcommand("mail", "Mails to people")->require_subcommand(1);
  auto& list = add(mail, words, "list", "List mails that wait, were sent or failed, newest first",
                   [&] { return mail_list(words.common, words.mail_list); });
  list.add_option("--state", words.mail_list.state, "Only these")
      ->check(CLI::IsMember({"waiting", "sent", "failed", "expired"}));
  list.add_option("--limit", words.mail_list.limit, "How many (default 100)")->check(CLI::Range(1, 10'000));
  list.add_option("--after", words.mail_list.after, "Start behind this id");
  add(mail, words, "retry", "Make what waits or failed due now", [&] {
    return mail_retry(words.common, words.who);
  }).add_option("id", words.who, "The mail (default: all)");
  auto& test = add(mail, words, "test", "Send a test mail and say what the mail server answered",
                   [&] { return mail_test(words.common, words.mail_test); });
  test.add_option("address", words.mail_test.address, "Whom to send it to")->required();
  test.add_option("--locale", words.mail_test.locale, "In this language (default: mail.locale)");
  test.add_flag("--later", words.mail_test.later, "Leave it to the running server");
  add(mail, words, "preview", "Write every mail in every language to files, with made-up values",
      [&] { return mail_preview(words.common, words.folder); })
      .add_option("--out", words.folder, "The folder to write to")
      ->required();
}

void add_config(CLI::App& app, Words& words) {
  auto& config = *app.add_subcommand("config", "Settings")->require_subcommand(1);
  add(config, words, "check", "Check the settings", [&] { return config_check(words.common); });
  add(config, words, "show", "Print the settings in force and where each comes from",
      [&] { return config_show(words.common); });
  add(config, words, "template", "Print a commented TOML file with every setting",
      [] { return config_print_template(); });
}

void add_db(CLI::App& app, Words& words) {
  auto& db = *app.add_subcommand("db", "The database as a whole")->require_subcommand(1);
  const auto add_target = [&](CLI::App& command) {
    auto* to = command.add_option("--to", words.target.to,
                                  "The other database: the path of a SQLite file, postgres://…");
    command
        .add_option("--to-file", words.target.to_file,
                    "A file that holds its URL, with a password (or KEYWARD_MOVE_TO, KEYWARD_MOVE_TO_FILE)")
        ->excludes(to);
  };
  auto& move = add(db, words, "move", "Copy the database to an empty one while servers run, and retire it",
                   [&] { return db_move(words.common, words.target, words.resume); });
  add_target(move);
  move.add_flag("--resume", words.resume, "Go on with a move that was interrupted");
  add_target(add(db, words, "compare", "Count and hash every table of both, and say where they differ",
                 [&] { return db_compare(words.common, words.target); }));
  add(db, words, "reopen", "Take a database that has moved back into use, as it was then",
      [&] { return db_reopen(words.common); });
}

void add_rest(CLI::App& app, Words& words) {
  add(app, words, "migrate", "Bring the database to this version", [&] {
    return migrate(words.common, words.plan);
  }).add_flag("--plan", words.plan, "Only print what would be done");
  add(app, words, "backup", "Copy the SQLite database to a file, also while the server runs",
      [&] { return backup(words.common, words.folder); })
      .add_option("file", words.folder, "The file to make; it must not exist")
      ->required();
  add(app, words, "doctor", "Look for what is wrong, and say how to mend it",
      [&] { return doctor(words.common); });
  add(app, words, "healthcheck", "Ask the running server whether it is ready", [&] {
    return healthcheck(words.common, words.url);
  }).add_option("--url", words.url, "http[s]://HOST:PORT (default: where the settings say it listens)");
  add(app, words, "version", "Print the version", [&] {
    fmt::print("{}\n",
               words.common.json ? R"({"version":")" KEYWARD_VERSION R"("})" : "keyward " KEYWARD_VERSION);
    return exit_done;
  });
}

}  // namespace

int run_command_line(int argument_count, char** arguments) {
  Words words;
  CLI::App app{"Keyward: an identity server in one binary", "keyward"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "keyward " KEYWARD_VERSION, "Print the version");
  add_serve(app, words);
  add_user(app, words);
  add_key(app, words);
  add_token(app, words);
  add_audit(app, words);
  add_mail(app, words);
  add_config(app, words);
  add_db(app, words);
  add_rest(app, words);
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_done : exit_usage;  // --help is an "error" of value 0
  }
  try {
    return words.run();
  } catch (const std::exception& exception) {
    return complain(exception.what());
  }
}

}  // namespace keyward::app
