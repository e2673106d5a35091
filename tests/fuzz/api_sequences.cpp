// Sequences of API calls against the real application (api_server.hpp), beside a small model of what it must
// answer.
//
// Each byte is a call or its argument: registering, logging in with a right or wrong password, refreshing
// with the current, the replaced, an older or a damaged token from this client or another, reading and
// changing the account, listing and ending sessions, logging out, roles given and taken, disabling, deleting,
// time passing, a restart. Must hold, after every step: the status is the model's; a session has one live
// refresh generation; no access token counts after its session's end; nobody is let to what their roles do
// not allow.
#include <boost/json/serialize.hpp>

#include "api_model.hpp"
#include "api_server.hpp"
#include "protocol/jose/jws.hpp"

namespace keyward::fuzz {
namespace {

using web::Method;

constexpr std::size_t steps_max = 40;
constexpr std::size_t sequences_per_database = 400;
constexpr std::chrono::days database_age_max{45};  // its signing key does not live for ever

class Play {
 public:
  Play(ApiServer& server, BytesView bytes, std::size_t number)
      : server_(server), left_(bytes), number_(std::to_string(number)) {
    for (std::size_t i = 0; i < model_.accounts.size(); ++i) {
      model_.accounts.at(i).email = "p" + std::to_string(i) + "." + number_ + "@example.com";
    }
  }

  void run() {
    for (std::size_t step = 0; step < steps_max && !left_.empty(); ++step) play_one();
    check_all_sessions();
    for (Account& account : model_.accounts) remove_by_root(account);
    check_all_sessions();
  }

 private:
  std::size_t next(std::size_t bound) {
    if (left_.empty()) return 0;
    const std::size_t value = left_.front() % bound;
    left_ = left_.subspan(1);
    return value;
  }
  Account& some_account() { return model_.accounts.at(next(model_.accounts.size())); }
  Session* some_session() {
    return model_.sessions.empty() ? nullptr : &model_.sessions.at(next(model_.sessions.size()));
  }
  void expect(const ApiAnswer& answer, unsigned status, std::string_view what) {
    if (answer.status == status) return;
    must_hold(false, std::string{what} + ": the model says " + std::to_string(status) + ", the server " +
                         std::to_string(answer.status) + " " + boost::json::serialize(answer.body));
  }

  void play_one() {
    switch (next(18)) {
      case 0:
        return sign_up(some_account());
      case 1:
      case 2:
        return log_in(some_account(), true);
      case 3:
        return log_in(some_account(), false);
      case 4:
      case 5:
        return refresh(some_session());
      case 6:
        return look(some_session());
      case 7:
        return log_out(some_session());
      case 8:
        return end_others(some_session());
      case 9:
        return end_one(some_session());
      case 10:
        return list_sessions(some_session());
      case 11:
        return change_password(some_session());
      case 12:
        return give_roles(some_account());
      case 13:
        return disable_by_root(some_account());
      case 14:
        return next(4) == 0 ? remove_by_root(some_account()) : use_rights(some_session());
      case 15:
        return next(4) == 0 ? leave(some_session()) : raise_oneself(some_session());
      case 16:
        return pass_time();
      default:
        return next(16) == 0 ? server_.restart() : look(some_session());
    }
  }

  // ── Calls without a session
  // ────────────────────────────────────────────────────────────────────────────────────────
  static std::string credentials(const Account& account, std::string_view password) {
    return R"({"email":")" + account.email + R"(","password":")" + std::string{password} + "\"}";
  }

  void sign_up(Account& account) {
    const auto password = passwords.at(next(passwords.size()));
    const auto answer = server_.ask(Method::post, "/register", {}, credentials(account, password));
    expect(answer, account.exists ? 400 : 201, "register");
    if (account.exists) return;
    account = {.email = account.email,
               .password = std::string{password},
               .id = answer.text("id"),
               .exists = true,
               .disabled = false,
               .roles = {"user"}};
  }

  void log_in(Account& account, bool right) {
    const auto agent = static_cast<unsigned>(next(2));
    const auto password = right ? account.password : "none of these at all";
    const auto answer = server_.ask(Method::post, "/login", {.access_token = {}, .agent = agent},
                                    credentials(account, password));
    const bool good = right && account.is_usable();
    expect(answer, good ? 200 : 401, "login");
    if (!good) return;
    const Time now = server_.now();
    Session session{.account = &account,
                    .id = {},
                    .agent = agent,
                    .replaced_at = {},
                    .idle_ends = now + idle_lifetime,
                    .ends = now + absolute_lifetime,
                    .ended = false,
                    .refresh_tokens = {},
                    .access_tokens = {}};
    take_tokens(session, answer);
    session.refresh_tokens.push_back(answer.text("refresh_token"));
    model_.sessions.push_back(std::move(session));
  }

  /// The new access token, which must speak of this session and account alone.
  void take_tokens(Session& session, const ApiAnswer& answer) {
    const auto token = answer.text("access_token");
    const auto parsed = protocol::jose::parse_compact(token);
    must_hold(parsed.has_value(), "an access token is a JWS");
    const auto claims = text::parse_json(parsed->payload).value();
    const std::string sid{claims.at("sid").as_string()};
    must_hold(claims.at("sub").as_string() == session.account->id, "an access token is of its account");
    must_hold(session.id.empty() || session.id == sid, "and of its session");
    session.id = sid;
    session.access_tokens.push_back({token, server_.now() + access_lifetime});
  }

  // ── Refresh
  // ────────────────────────────────────────────────────────────────────────────────────────────────────────
  void refresh(Session* session) {
    if (session == nullptr) return;
    const std::size_t back = next(4);
    const auto agent = static_cast<unsigned>(next(2));
    const std::size_t current = session->refresh_tokens.size() - 1;
    const std::size_t generation = back > current ? 0 : current - back;
    std::string token = session->refresh_tokens.at(generation);
    const bool damaged = next(8) == 7;
    if (damaged) token.back() = token.back() == 'A' ? 'B' : 'A';
    const auto answer = server_.ask(Method::post, "/refresh", {.access_token = {}, .agent = agent},
                                    R"({"refresh_token":")" + token + "\"}");
    const auto expected =
        damaged ? Refreshing::refused : model_.refresh(*session, generation, agent, server_.now());
    expect(answer, expected == Refreshing::refused ? 401 : 200, "refresh");
    if (expected == Refreshing::refused) return;
    take_tokens(*session, answer);
    const auto given = answer.text("refresh_token");
    if (expected == Refreshing::repeated) {
      must_hold(given == session->refresh_tokens.back(),
                "a lost answer is given again, and no second branch grows");
    } else {
      must_hold(std::ranges::find(session->refresh_tokens, given) == session->refresh_tokens.end(),
                "a token is new");
      session->refresh_tokens.push_back(given);
    }
  }

  // ── Calls with a session
  // ───────────────────────────────────────────────────────────────────────────────────────────
  ApiCaller caller(const Session& session) const {
    return {.access_token = session.access_tokens.back().token, .agent = session.agent};
  }
  bool counts(const Session& session) const {
    return session.is_live(server_.now()) && server_.now() < session.access_tokens.back().expires;
  }

  void look(const Session* session) {
    if (session != nullptr) look(*session, next(session->access_tokens.size()));
  }
  void look(const Session& session, std::size_t which) {
    const auto& token = session.access_tokens.at(which);
    const bool good = session.is_live(server_.now()) && server_.now() < token.expires;
    const auto answer =
        server_.ask(Method::get, "/me", {.access_token = token.token, .agent = session.agent});
    expect(answer, good ? 200 : 401, "me");
    if (!good) return;
    must_hold(answer.text("id") == session.account->id && answer.text("email") == session.account->email,
              "me is me");
    std::set<std::string> roles;
    for (const auto& role : answer.body.at("roles").as_array()) roles.emplace(role.as_string());
    must_hold(roles == session.account->roles, "with the roles that were given");
  }

  void log_out(Session* session) {
    if (session == nullptr) return;
    if (next(2) == 0) {
      const bool good = counts(*session);
      expect(server_.ask(Method::post, "/logout", caller(*session)), good ? 204 : 401, "logout");
      session->ended = session->ended || good;
      return;
    }
    const auto& token = session->refresh_tokens.at(next(session->refresh_tokens.size()));
    expect(server_.ask(Method::post, "/logout", {}, R"({"refresh_token":")" + token + "\"}"), 204,
           "logout by token");
    session->ended = true;
  }

  void end_others(const Session* session) {
    if (session == nullptr) return;
    const bool good = counts(*session);
    expect(server_.ask(Method::delete_, "/me/sessions", caller(*session)), good ? 204 : 401, "end others");
    if (good) model_.end_sessions(*session->account, session);
  }

  void end_one(const Session* session) {
    if (session == nullptr) return;
    Session& other = *some_session();
    const bool good = counts(*session);
    const bool ours = other.account == session->account && !other.ended;
    const auto answer = server_.ask(Method::delete_, "/me/sessions/" + other.id, caller(*session));
    expect(answer, !good ? 401 : ours ? 204 : 404, "end one");
    if (good && ours) other.ended = true;
  }

  void list_sessions(const Session* session) {
    if (session == nullptr) return;
    const bool good = counts(*session);
    const auto answer = server_.ask(Method::get, "/me/sessions?limit=100", caller(*session));
    expect(answer, good ? 200 : 401, "list sessions");
    if (!good) return;
    std::set<std::string> listed, live;
    for (const auto& item : answer.body.at("items").as_array()) listed.emplace(item.at("id").as_string());
    for (const Session& each : model_.sessions) {
      if (each.account == session->account && each.is_live(server_.now())) live.insert(each.id);
    }
    must_hold(listed == live, "the sessions that are listed are those that live");
  }

  void change_password(const Session* session) {
    if (session == nullptr) return;
    const bool right = next(2) == 0;
    const auto wanted = passwords.at(next(passwords.size()));
    Account& account = *session->account;
    const bool good = counts(*session);
    const auto answer =
        server_.ask(Method::post, "/me/password", caller(*session),
                    R"({"current_password":")" + (right ? account.password : "none of these at all") +
                        R"(","new_password":")" + std::string{wanted} + "\"}");
    expect(answer, !good ? 401 : right ? 204 : 403, "change password");
    if (!good || !right) return;
    account.password = wanted;
    model_.end_sessions(account, session);
  }

  void leave(const Session* session) {
    if (session == nullptr) return;
    const bool good = counts(*session);
    expect(server_.ask(Method::delete_, "/me", caller(*session)), good ? 204 : 401, "leave");
    if (good) model_.forget(*session->account);
  }

  // ── Rights
  // ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  void use_rights(const Session* session) {
    if (session == nullptr) return;
    const auto& roles = session->account->roles;
    const bool reads = roles.contains("reader") || roles.contains("admin");
    const auto answer = server_.ask(Method::get, "/users?limit=1", caller(*session));
    expect(answer, !counts(*session) ? 401 : reads ? 200 : 403, "list users");
    Account& other = some_account();
    if (!other.exists || &other == session->account) return;
    const bool writes = roles.contains("admin");
    const bool good = counts(*session);
    expect(server_.ask(Method::patch, "/users/" + other.id, caller(*session), R"({"disabled":true})"),
           !good    ? 401
           : writes ? 200
                    : 403,
           "disable somebody");
    if (good && writes) model_.disable(other, true);
  }

  void raise_oneself(const Session* session) {
    if (session == nullptr) return;
    Account& account = *session->account;
    const bool good = counts(*session);
    const bool may = account.roles.contains("admin");
    const auto answer =
        server_.ask(Method::patch, "/users/" + account.id, caller(*session), R"({"roles":["admin","user"]})");
    expect(answer, !good ? 401 : may ? 200 : 403, "raise oneself");
    if (good && may) account.roles = {"admin", "user"};
  }

  // ── Root, and time
  // ─────────────────────────────────────────────────────────────────────────────────────────────────
  ApiCaller root() {
    if (server_.now() >= root_expires_) {
      const auto answer = server_.ask(Method::post, "/login", {},
                                      std::string{R"({"email":")"}
                                              .append(ApiServer::root_email)
                                              .append(R"(","password":")")
                                              .append(ApiServer::root_password) +
                                          "\"}");
      expect(answer, 200, "root's login");
      root_token_ = answer.text("access_token");
      root_expires_ = server_.now() + access_lifetime;
    }
    return {.access_token = root_token_, .agent = 0};
  }

  void give_roles(Account& account) {
    const std::size_t which = next(4);
    std::set<std::string> roles{"user"};
    if ((which & 1U) != 0) roles.insert("reader");
    if ((which & 2U) != 0) roles.insert("admin");
    if (account.id.empty()) return;
    std::string list;
    for (const auto& role : roles) list.append(list.empty() ? "\"" : ",\"").append(role).append("\"");
    expect(server_.ask(Method::patch, "/users/" + account.id, root(), R"({"roles":[)" + list + "]}"),
           account.exists ? 200 : 404, "give roles");
    if (account.exists) account.roles = roles;
  }

  void disable_by_root(Account& account) {
    const bool disabled = next(3) != 0;
    if (account.id.empty()) return;
    expect(server_.ask(Method::patch, "/users/" + account.id, root(),
                       disabled ? R"({"disabled":true})" : R"({"disabled":false})"),
           account.exists ? 200 : 404, "disable");
    if (account.exists) model_.disable(account, disabled);
  }

  void remove_by_root(Account& account) {
    if (account.id.empty()) return;
    expect(server_.ask(Method::delete_, "/users/" + account.id, root()), account.exists ? 200 : 404,
           "delete");
    model_.forget(account);
  }

  void pass_time() {
    constexpr std::array<seconds, 8> lengths{seconds{1},           seconds{5},          seconds{9},
                                             seconds{10},          seconds{600},        seconds{900},
                                             std::chrono::days{4}, std::chrono::days{7}};
    server_.let_pass(lengths.at(next(lengths.size())));
  }

  void check_all_sessions() {
    for (const Session& session : model_.sessions) {
      look(session, 0);
      look(session, session.access_tokens.size() - 1);
    }
  }

  ApiServer& server_;
  BytesView left_;
  std::string number_;
  Model model_;
  std::string root_token_;
  Time root_expires_;
};

}  // namespace

KEYWARD_FUZZ_TARGET(api_sequences) {
  static ApiServer server;
  static std::size_t sequences = 0;
  if (++sequences % sequences_per_database == 0 || server.age() > database_age_max) server.start_anew();
  Play{server, input, sequences}.run();
}

}  // namespace keyward::fuzz
