// A throw-away PostgreSQL for tests, by tests/services/postgres.sh; and a database in it for each folder.
//
// All tests of a program share one: that of KEYWARD_TEST_POSTGRES (a URL, which ./dev test sets), else one
// that is started at the first use. It ends with the program.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/testing/temporary_folder.hpp"
#include "storage/database.hpp"

namespace keyward::storage::conformance {

/// Its standard output is dropped.
inline pid_t start_program(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = 0;
  const int error = ::posix_spawnp(&process, arguments[0], &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw std::runtime_error("cannot start " + words[0]);
  return process;
}

inline bool wait_for_program(pid_t process) {
  int status = 0;
  return ::waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

inline void run_sql(const std::string& url, const std::string& sql) {
  if (!wait_for_program(start_program({"psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url, "-c",
                                       "SET client_min_messages = warning", "-c", sql})))
    throw std::runtime_error("psql failed: " + sql);
}

class PostgresServer {
 public:
  PostgresServer() { start(); }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() { end(SIGINT); }

  void start() {
    process_ =
        start_program({"bash", KEYWARD_TEST_VECTORS "/../services/postgres.sh", "serve", folder_.path()});
    for (int i = 0; i < 1500; ++i) {
      if (wait_for_program(start_program({"pg_isready", "-q", "-h", folder_.path()}))) return;
      if (::waitpid(process_, nullptr, WNOHANG) != 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    throw std::runtime_error("PostgreSQL did not start; is it installed? (./dev setup)");
  }
  /// SIGQUIT is PostgreSQL's immediate shutdown: as a crash is, with every connection cut.
  void end(int signal_number) {
    if (process_ == 0) return;
    ::kill(process_, signal_number);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }
  [[nodiscard]] std::string url() const {
    return "postgres://postgres@/postgres?host=" + folder_.path().string();
  }

 private:
  TemporaryFolder folder_;
  pid_t process_ = 0;
};

/// The URL of the same server with another database.
inline std::string with_database(std::string url, const std::string& database) {
  const auto slash = url.find('/', url.find("://") + 3);
  const auto question = std::min(url.find('?'), url.size());
  return url.replace(slash, question - slash, "/" + database);
}

inline const std::string& shared_postgres_url() {
  static const std::string url = [] {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
    if (const char* given = ::getenv("KEYWARD_TEST_POSTGRES"); given != nullptr) return std::string{given};
    static const PostgresServer own;
    return own.url();
  }();
  return url;
}

/// The URL of the database that belongs to `folder`: made at the first call, dropped once the folder is gone.
inline std::string postgres_url_of(const std::filesystem::path& folder) {
  static std::map<std::string, std::string> made;  // by folder
  const auto& server = shared_postgres_url();
  std::erase_if(made, [&](const auto& entry) {
    if (std::filesystem::exists(entry.first)) return false;
    run_sql(server, "DROP DATABASE IF EXISTS \"" + entry.second + "\" WITH (FORCE)");
    return true;
  });
  auto& database = made[folder.string()];
  if (database.empty()) {
    database = folder.filename().string();
    run_sql(server, "CREATE DATABASE \"" + database + "\"");
  }
  return with_database(server, database);
}

/// The database that belongs to a test's folder: of the engine "postgres", or a SQLite file.
inline std::unique_ptr<Database> open_database(std::string_view engine, const std::filesystem::path& folder) {
  auto opened = engine == "postgres"
                    ? Database::open({.postgres_url = Secret{postgres_url_of(folder)}, .writer_threads = 4})
                    : Database::open({.path = folder / "keyward.db"});
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

}  // namespace keyward::storage::conformance
