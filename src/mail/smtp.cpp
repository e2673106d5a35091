#include "mail/smtp.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "base/limits.hpp"
#include "mail/shared_library.hpp"
#include "text/unicode.hpp"

namespace keyward::mail {

namespace {

/// The functions of libcurl that are used, loaded at the first mail.
struct Curl {
  Curl() {
    const SharedLibrary library{"libcurl.so.4"};
    library.find(global_init, "curl_global_init");
    library.find(easy_init, "curl_easy_init");
    library.find(easy_setopt, "curl_easy_setopt");
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

/// What goes on in one attempt, as libcurl's callbacks see it.
struct Attempt {
  std::string_view rest;  // of the message
  const std::stop_token* stop = nullptr;
  std::string verb;      // of the last command that we sent
  std::string reply;     // the last line that the server sent
  bool is_over = false;  // we have said QUIT
};

std::size_t read_message(char* buffer, std::size_t size, std::size_t count, void* data) {
  auto& attempt = *static_cast<Attempt*>(data);
  const auto taken = std::min(size * count, attempt.rest.size());
  std::ranges::copy(attempt.rest.substr(0, taken), buffer);
  attempt.rest.remove_prefix(taken);
  return taken;
}

int check_stop(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Attempt*>(data)->stop->stop_requested() ? 1 : 0;
}

/// Only verbs are kept: lines of AUTH are the password.
int note_dialogue(CURL*, curl_infotype type, char* bytes, std::size_t size, void* data) {
  auto& attempt = *static_cast<Attempt*>(data);
  const std::string_view line{bytes, size};
  if (attempt.is_over) return 0;
  if (type == CURLINFO_HEADER_OUT) {
    constexpr std::array<std::string_view, 7> verbs{"EHLO", "HELO", "STARTTLS", "AUTH",
                                                    "MAIL", "RCPT", "DATA"};
    const auto* const verb =
        std::ranges::find_if(verbs, [&](std::string_view known) { return line.starts_with(known); });
    if (verb != verbs.end()) attempt.verb = *verb;
    attempt.is_over = line.starts_with("QUIT");  // what was said before it is what counts
  } else if (type == CURLINFO_HEADER_IN) {
    attempt.reply = line.substr(0, line.find_first_of("\r\n"));
  }
  return 0;
}

/// Replaces everything that looks like an address: servers repeat them in cases and forms of their own.
void strike_out_addresses(std::string& text) {
  constexpr std::string_view around = " <>()[]\"':;,";
  for (auto at = text.find('@'); at != std::string::npos; at = text.find('@')) {
    const auto before = text.find_last_of(around, at);
    const auto begin = before == std::string::npos ? 0 : before + 1;
    const auto end = std::min(text.find_first_of(around, at), text.size());
    text.replace(begin, end - begin, "…");
  }
}

/// One line, without controls and without who the mail was for: it goes to the log and to `mail list`.
std::string to_reason(std::string text) {
  strike_out_addresses(text);
  text = text::to_storable_text(text, limits::mail_error_max_bytes);
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
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
  ~Handle() { Curl::get().easy_cleanup(easy); }

  template <class T>
  void set(CURLoption option, T value) const {
    if (Curl::get().easy_setopt(easy, option, value) != CURLE_OK)
      throw std::runtime_error(fmt::format("libcurl refuses option {}", static_cast<int>(option)));
  }

  CURL* easy;
};

Smtp::Smtp(SmtpSettings settings) : settings_(std::move(settings)) {
  // curl knows STARTTLS as an option, not as a scheme.
  url_ = fmt::format("{}://{}:{}", settings_.url.protection == SmtpUrl::Protection::tls ? "smtps" : "smtp",
                     settings_.url.host, settings_.url.port);
}

Smtp::~Smtp() = default;

void Smtp::rest() {
  std::vector<std::unique_ptr<Handle>> closing;  // outside the lock: closing says QUIT
  const std::scoped_lock lock{mutex_};
  closing.swap(idle_);
}

std::unique_ptr<Smtp::Handle> Smtp::take_handle() {
  {
    const std::scoped_lock lock{mutex_};
    if (!idle_.empty()) {
      auto handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  auto handle = std::make_unique<Handle>();
  handle->set(CURLOPT_URL, url_.c_str());
  handle->set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  handle->set(CURLOPT_NOSIGNAL, 1L);
  handle->set(CURLOPT_PROXY, "");  // whatever the environment says: mail goes to its server
  handle->set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  handle->set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(limits::mail_connect_timeout.count()));
  handle->set(CURLOPT_TIMEOUT, static_cast<long>(settings_.send_timeout.count()));
  handle->set(CURLOPT_MAXAGE_CONN, 30L);
  handle->set(CURLOPT_UPLOAD, 1L);
  handle->set(CURLOPT_NOPROGRESS, 0L);
  handle->set(CURLOPT_VERBOSE, 1L);  // to the debug function, nowhere else
  handle->set(CURLOPT_READFUNCTION, &read_message);
  handle->set(CURLOPT_XFERINFOFUNCTION, &check_stop);
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
  }
  return handle;
}

void Smtp::keep(std::unique_ptr<Handle> handle) {
  const std::scoped_lock lock{mutex_};
  idle_.push_back(std::move(handle));
}

Delivery Smtp::blocking_deliver(const OutgoingMessage& message, const std::stop_token& stop) {
  using enum Delivery::Verdict;
  const auto& curl = Curl::get();
  auto handle = take_handle();
  Attempt attempt{.rest = message.bytes, .stop = &stop};
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
  const CURLcode code = curl.easy_perform(handle->easy);
  handle->set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (code == CURLE_OK) {
    keep(std::move(handle));
    return {delivered, {}};
  }
  // A handle that has failed goes, and its connection with it. It says QUIT: to nobody any more.
  handle->set(CURLOPT_VERBOSE, 0L);
  handle.reset();
  if (stop.stop_requested()) return {try_again, "the server is stopping"};

  // RFC 5321 §4.2.1: 5yz is for good. To another command it is about us, and may be mended.
  const bool about_this_mail = attempt.verb == "RCPT" || attempt.verb == "DATA";
  const bool said_no = attempt.reply.starts_with('5');
  std::string reason = error[0] != '\0' ? error.data() : curl.easy_strerror(code);
  if (!attempt.verb.empty()) reason += fmt::format("; {}: {}", attempt.verb, attempt.reply);
  return {about_this_mail && said_no ? refused : try_again, to_reason(std::move(reason))};
}

}  // namespace keyward::mail
