#include "mail/smtp.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "base/shared_library.hpp"
#include "mail/smtp_reply.hpp"

namespace keyward::mail {

namespace {

/// The functions of libcurl that are used, loaded at the first mail.
struct Curl {
  Curl() {
    const SharedLibrary library{libraries::curl};
    library.find(global_init, "curl_global_init");
    library.find(easy_init, "curl_easy_init");
    library.find(easy_setopt, "curl_easy_setopt");
    library.find(easy_getinfo, "curl_easy_getinfo");
    library.find(easy_perform, "curl_easy_perform");
    library.find(easy_cleanup, "curl_easy_cleanup");
    library.find(easy_strerror, "curl_easy_strerror");
    library.find(slist_append, "curl_slist_append");
    library.find(slist_free_all, "curl_slist_free_all");
    if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl does not start");
  }
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  CURLcode (*easy_setopt)(CURL*, CURLoption, ...) = nullptr;
  CURLcode (*easy_getinfo)(CURL*, CURLINFO, ...) = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;

  static const Curl& get() {
    static const Curl curl;
    return curl;
  }
};

using SteadyClock = std::chrono::steady_clock;

/// What goes on in one attempt, as libcurl's callbacks see it.
struct Attempt {
  enum class Phase : std::uint8_t {
    talking,    // up to the mail's last byte
    answering,  // the server has all of it, and thinks
    leaving,    // we have said QUIT: the attempt is over, whatever comes
  };
  std::string_view rest;  // of the message
  const MayGoOn& may_go_on;
  std::chrono::seconds answer_timeout;
  SteadyClock::time_point deadline;  // of the phase
  bool wants_login = false;
  bool& logged_in;  // of the connection, which may be older than the attempt
  Phase phase = Phase::talking;
  std::string verb;   // of the last command that we sent
  std::string reply;  // the last line that the server sent
  bool is_late = false;
  bool is_cut = false;
  bool lacks_login = false;
};

std::size_t read_message(char* buffer, std::size_t size, std::size_t count, void* data) {
  auto& attempt = *static_cast<Attempt*>(data);
  if (attempt.lacks_login) return CURL_READFUNC_ABORT;
  const auto taken = std::min(size * count, attempt.rest.size());
  std::ranges::copy(attempt.rest.substr(0, taken), buffer);
  attempt.rest.remove_prefix(taken);
  if (attempt.rest.empty() && attempt.phase == Attempt::Phase::talking) {
    attempt.phase = Attempt::Phase::answering;
    attempt.deadline = SteadyClock::now() + attempt.answer_timeout;
  }
  return taken;
}

bool may_go_on(Attempt& attempt) {
  const bool leaving = attempt.phase == Attempt::Phase::leaving;
  const bool is_late = SteadyClock::now() >= attempt.deadline;
  bool is_cut = false;
  try {
    is_cut = !attempt.may_go_on();
  } catch (const std::exception&) {  // libcurl is C: nothing may be thrown through it
    is_cut = true;
  }
  if (!leaving) {
    attempt.is_late = is_late;
    attempt.is_cut = is_cut;
  }
  return !is_late && !is_cut && (leaving || !attempt.lacks_login);
}

/// libcurl calls it whenever something happens, and once a second.
int check_progress(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return may_go_on(*static_cast<Attempt*>(data)) ? 0 : 1;
}

/// A whole word: the base64 of a password may begin like one.
bool says(std::string_view line, std::string_view verb) {
  return line.starts_with(verb) && line.substr(verb.size()).find_first_of(" \r") == 0;
}

void note_command(Attempt& attempt, std::string_view line) {
  if (says(line, "QUIT")) {
    attempt.phase = Attempt::Phase::leaving;  // what was said before it is what counts
    attempt.deadline = SteadyClock::now() + limits::mail_quit_timeout;
    return;
  }
  constexpr std::array<std::string_view, 7> verbs{"EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA"};
  const auto* const verb =
      std::ranges::find_if(verbs, [&](std::string_view known) { return says(line, known); });
  if (verb == verbs.end()) return;
  attempt.verb = *verb;
  attempt.reply.clear();
  if (*verb == "EHLO" || *verb == "HELO") attempt.logged_in = false;
  if (*verb == "AUTH") attempt.logged_in = true;
  // libcurl goes on without a login where none is offered.
  if (*verb == "MAIL") attempt.lacks_login = attempt.wants_login && !attempt.logged_in;
}

/// Only verbs are kept: lines of AUTH are the password.
int note_dialogue(CURL*, curl_infotype type, char* bytes, std::size_t size, void* data) {
  auto& attempt = *static_cast<Attempt*>(data);
  const std::string_view line{bytes, size};
  if (attempt.phase == Attempt::Phase::leaving) return 0;
  if (type == CURLINFO_HEADER_OUT) note_command(attempt, line);
  if (type == CURLINFO_HEADER_IN) attempt.reply = line.substr(0, line.find_first_of("\r\n"));
  return 0;
}

/// What an attempt that failed means for its mail. `error` is libcurl's.
Delivery tell(const Attempt& attempt, bool timed_out, std::string_view error, std::string_view recipient) {
  using enum Delivery::Verdict;
  if (attempt.is_cut) return {try_again, "the attempt was cut short"};
  if (attempt.lacks_login) return {try_again, "the server offers no login, and mail.username is set"};
  const bool has_all = attempt.phase == Attempt::Phase::answering;
  if (timed_out && has_all) return {unsure, "no answer to the whole mail: it may have been delivered"};
  auto reason = std::string{attempt.is_late ? "the server was too slow" : error};
  if (!attempt.verb.empty()) reason += fmt::format("; {}: {}", attempt.verb, attempt.reply);
  return {judge_reply(attempt.verb, attempt.reply), to_reason(reason, recipient)};
}

struct ListFreed {
  void operator()(curl_slist* list) const { Curl::get().slist_free_all(list); }
};

}  // namespace

struct Smtp::Handle {
  Handle() : easy(Curl::get().easy_init()) {
    if (easy == nullptr) throw std::runtime_error("libcurl gives no handle");
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  /// Says QUIT and goes: libcurl would wait two minutes for the answer, so nothing is read any more.
  ~Handle() {
    curl_socket_t socket = CURL_SOCKET_BAD;
    if (Curl::get().easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK &&
        socket != CURL_SOCKET_BAD)
      ::shutdown(socket, SHUT_RD);
    Curl::get().easy_cleanup(easy);
  }

  template <class T>
  void set(CURLoption option, T value) const {
    if (Curl::get().easy_setopt(easy, option, value) != CURLE_OK)
      throw std::runtime_error(fmt::format("libcurl refuses option {}", static_cast<int>(option)));
  }
  /// Between two mails there is no attempt that the callbacks could tell.
  void listen(bool on) const {
    set(CURLOPT_NOPROGRESS, on ? 0L : 1L);
    set(CURLOPT_VERBOSE, on ? 1L : 0L);  // to the debug function, nowhere else
  }
  [[nodiscard]] bool has_resolved() const {
    curl_off_t time_us = 0;
    Curl::get().easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &time_us);
    return time_us > 0;
  }

  CURL* easy;
  bool logged_in = false;
};

Smtp::Smtp(SmtpSettings settings) : settings_(std::move(settings)) {
  // curl knows STARTTLS as an option, not as a scheme.
  url_ = fmt::format("{}://{}:{}", settings_.url.protection == SmtpUrl::Protection::tls ? "smtps" : "smtp",
                     settings_.url.host, settings_.url.port);
}

Smtp::~Smtp() = default;

void Smtp::rest() {
  std::vector<std::unique_ptr<Handle>> closing;  // outside the lock: closing says QUIT
  const Lock lock{mutex_};
  closing.swap(idle_);
}

std::unique_ptr<Smtp::Handle> Smtp::take_idle_handle() {
  const Lock lock{mutex_};
  if (idle_.empty()) return nullptr;
  auto handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

std::unique_ptr<Smtp::Handle> Smtp::make_handle() const {
  auto handle = std::make_unique<Handle>();
  handle->set(CURLOPT_URL, url_.c_str());
  handle->set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  handle->set(CURLOPT_NOSIGNAL, 1L);
  handle->set(CURLOPT_PROXY, "");  // whatever the environment says: mail goes to its server
  handle->set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  handle->set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(limits::mail_connect_timeout.count()));
  // Each phase has a time of its own (check_progress); libcurl's must only not be shorter.
  handle->set(CURLOPT_SERVER_RESPONSE_TIMEOUT,
              static_cast<long>((settings_.send_timeout + settings_.answer_timeout).count()));
  handle->set(CURLOPT_QUICK_EXIT, 1L);  // a name server that does not answer is not waited for
  handle->set(CURLOPT_MAXAGE_CONN, 30L);
  handle->set(CURLOPT_UPLOAD, 1L);
  handle->set(CURLOPT_READFUNCTION, &read_message);
  handle->set(CURLOPT_XFERINFOFUNCTION, &check_progress);
  handle->set(CURLOPT_DEBUGFUNCTION, &note_dialogue);
  const bool plain = settings_.url.protection == SmtpUrl::Protection::none;
  handle->set(CURLOPT_USE_SSL, static_cast<long>(plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  handle->set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  handle->set(CURLOPT_SSL_VERIFYPEER, 1L);
  handle->set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!settings_.ca_file.empty()) {
    handle->set(CURLOPT_CAINFO, settings_.ca_file.c_str());
    handle->set(CURLOPT_CAPATH, static_cast<char*>(nullptr));  // this CA and no other
  }
  if (!settings_.username.empty()) {
    auto password = std::string{settings_.password.text()};
    handle->set(CURLOPT_USERNAME, settings_.username.c_str());
    handle->set(CURLOPT_PASSWORD, password.c_str());
    wipe(password);
    // What takes a password. Without this a server's GSSAPI or NTLM would be tried first, and fail.
    handle->set(CURLOPT_LOGIN_OPTIONS,
                "AUTH=SCRAM-SHA-256;AUTH=SCRAM-SHA-1;AUTH=CRAM-MD5;AUTH=DIGEST-MD5;AUTH=PLAIN;AUTH=LOGIN");
  }
  return handle;
}

void Smtp::keep(std::unique_ptr<Handle> handle) {
  const Lock lock{mutex_};
  idle_.push_back(std::move(handle));
}

/// A lookup that does not end keeps a thread of libcurl until it does, so a dead name server is asked again
/// only now and then.
bool Smtp::is_resolver_resting() {
  const Lock lock{mutex_};
  return SteadyClock::now() < resolver_rests_until_;
}

void Smtp::let_resolver_rest() {
  const Lock lock{mutex_};
  resolver_rests_until_ = SteadyClock::now() + limits::mail_resolver_pause;
}

Delivery Smtp::blocking_deliver(const OutgoingMessage& message, const MayGoOn& may_go_on) {
  using enum Delivery::Verdict;
  const auto& curl = Curl::get();
  auto handle = take_idle_handle();
  if (!handle && is_resolver_resting()) return {try_again, "the name server gave no answer a moment ago"};
  if (!handle) handle = make_handle();
  Attempt attempt{.rest = message.bytes,
                  .may_go_on = may_go_on,
                  .answer_timeout = settings_.answer_timeout,
                  .deadline = SteadyClock::now() + settings_.send_timeout,
                  .wants_login = !settings_.username.empty(),
                  .logged_in = handle->logged_in};
  std::array<char, CURL_ERROR_SIZE> error{};
  const std::unique_ptr<curl_slist, ListFreed> recipients{
      curl.slist_append(nullptr, message.recipient.c_str())};
  handle->set(CURLOPT_MAIL_FROM, message.sender.c_str());
  handle->set(CURLOPT_MAIL_RCPT, recipients.get());
  handle->set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(message.bytes.size()));
  handle->set(CURLOPT_READDATA, &attempt);
  handle->set(CURLOPT_XFERINFODATA, &attempt);
  handle->set(CURLOPT_DEBUGDATA, &attempt);
  handle->set(CURLOPT_ERRORBUFFER, error.data());
  handle->listen(true);
  const CURLcode code = curl.easy_perform(handle->easy);
  handle->listen(false);
  handle->set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (code == CURLE_OK) {
    keep(std::move(handle));
    return {delivered, {}};
  }
  const bool timed_out = attempt.is_late || code == CURLE_OPERATION_TIMEDOUT;
  if (timed_out && attempt.verb.empty() && !handle->has_resolved()) let_resolver_rest();
  handle.reset();  // a handle that has failed goes, and its connection with it
  return tell(attempt, timed_out, error[0] != '\0' ? error.data() : curl.easy_strerror(code),
              message.recipient);
}

}  // namespace keyward::mail
