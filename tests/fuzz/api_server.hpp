// The server in this process, for the target api_sequences: the real Application with its routes, asked
// without a socket, on a data folder in memory, with a clock that only the target moves.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "app/application.hpp"
#include "base/testing/temporary_folder.hpp"
#include "crypto/digest.hpp"
#include "fuzz.hpp"
#include "text/json.hpp"

namespace keyward::fuzz {

/// SHA-256 of a counter: the same in every run, and never twice the same in one.
class CountingRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const auto number = std::to_string(++count_);
      const auto block = crypto::sha256(as_bytes(number));
      const auto size = std::min(bytes.size(), block.size());
      std::ranges::copy(BytesView{block}.first(size), bytes.begin());
      bytes = bytes.subspan(size);
    }
  }

 private:
  std::atomic<std::uint64_t> count_ = 0;
};

struct ApiAnswer {
  unsigned status = 0;
  boost::json::value body;

  [[nodiscard]] std::string text(std::string_view name) const {
    return std::string{body.at(name).as_string()};
  }
};

/// Who asks, and how they are known.
struct ApiCaller {
  std::string access_token = {};  // "": none
  unsigned agent = 0;
};

class ApiServer {
 public:
  static constexpr std::string_view root_email = "root@example.com";
  static constexpr std::string_view root_password = "violet orbit candle 94";

  ApiServer() {
    set_log_level(LogLevel::error);
    open();
    set_up();
    application_.reset();
    std::filesystem::copy(data_, template_, std::filesystem::copy_options::recursive);
    start_anew();
  }
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;
  ~ApiServer() { application_.reset(); }

  /// Only root is there, who holds `admin`, and the role `reader`.
  void start_anew() {
    application_.reset();
    std::filesystem::remove_all(data_);
    std::filesystem::copy(template_, data_, std::filesystem::copy_options::recursive);
    clock_.advance(start_ - clock_.now());
    open();
  }
  void restart() {
    application_.reset();
    open();
  }
  void let_pass(seconds time) { clock_.advance(time); }
  [[nodiscard]] Time now() const { return clock_.now(); }
  [[nodiscard]] std::chrono::days age() const {
    return std::chrono::floor<std::chrono::days>(clock_.now() - start_);
  }

  ApiAnswer ask(web::Method method, std::string target, const ApiCaller& caller, std::string body = {}) {
    web::Request request;
    const std::string authorization = "Bearer " + caller.access_token;
    request.method = method;
    request.target = target;
    const auto question = target.find('?');
    request.path = request.target.substr(0, question);
    if (question != std::string::npos) request.query = request.target.substr(question + 1);
    if (!caller.access_token.empty()) request.headers.push_back({"Authorization", authorization});
    if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
    request.body = body;
    request.body_storage = &body;
    request.client = {"192.0.2.1", "agent-" + std::to_string(caller.agent), "request-1"};
    request.id = "request-1";
    return read(answer(request));
  }

 private:
  web::Response answer(web::Request& request) {
    std::optional<web::Response> response;
    std::exception_ptr failure;
    asio::co_spawn(loop_.get_executor(), application_->handler().handle(request),
                   [&](std::exception_ptr thrown, web::Response given) {
                     failure = std::move(thrown);
                     response = std::move(given);
                   });
    loop_.restart();
    loop_.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(response).value();
  }

  static ApiAnswer read(const web::Response& response) {
    ApiAnswer answer{.status = response.status, .body = {}};
    must_hold(response.status < 500, "the server has no defect, and is not too busy for one caller");
    if (response.content().empty()) return answer;
    auto body = text::parse_json(response.content());
    must_hold(body.has_value(), "an answer is JSON");
    answer.body = std::move(*body);
    return answer;
  }

  void open() {
    app::ConfigSources sources;
    sources.flags = {{"storage.data", data_.string()},
                     {"server.listen", "127.0.0.1:0"},
                     {"server.public_url", "https://id.example"},
                     {"server.loops", "1"},
                     {"limits.enabled", "false"},
                     {"registration.verification", "off"},
                     {"passwords.min_strength", "0"},
                     {"passwords.hash_threads", "1"},
                     {"storage.readers", "1"}};
    auto config = app::load_config(sources);
    must_hold(config.has_value(), "the settings are good");
    config->passwords.argon2_memory_kib = 8;  // libsodium's least
    config->passwords.argon2_iterations = 1;
    auto opened = app::Application::open(std::move(*config), {},
                                         {.clock = clock_,
                                          .random = random_,
                                          .event_output = domain::EventLog::no_output,
                                          .weak_hashes = true});
    must_hold(opened.has_value(), opened ? "" : opened.error().message);
    application_ = std::move(*opened);
  }

  void set_up() {
    const std::string token{application_->new_setup_token().value().text()};
    const auto credentials =
        std::string{R"("email":")"}.append(root_email).append(R"(","password":")").append(root_password) +
        "\"}";
    must_hold(
        ask(web::Method::post, "/setup", {}, R"({"token":")" + token + "\"," + credentials).status == 201,
        "root is made");
    const ApiCaller root{ask(web::Method::post, "/login", {}, "{" + credentials).text("access_token"), 0};
    must_hold(ask(web::Method::put, "/roles/reader", root, R"({"permissions":["users:read"]})").status == 200,
              "so is a role");
  }

  /// In memory, where there is such a place.
  static std::filesystem::path place() {
    const std::filesystem::path memory{"/dev/shm"};
    return is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  }

  const Time start_ = from_unix_s(1'764'000'000);
  TemporaryFolder folder_{place()};
  std::filesystem::path data_ = folder_.path() / "data", template_ = folder_.path() / "template";
  ManualClock clock_{start_};
  CountingRandom random_;
  asio::io_context loop_{1};
  std::unique_ptr<app::Application> application_;
};

}  // namespace keyward::fuzz
