#include "app/setup_token_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/limits.hpp"
#include "domain/setup/setup_token.hpp"

namespace keyward::app {

namespace {

/// The token in the file; nothing when there is none to be read.
std::optional<Secret> read_token(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return std::nullopt;
  auto text = Secret::of_size(limits::setup_token_max_bytes);
  const auto size = ::read(file, text.mutable_bytes().data(), text.size());
  ::close(file);
  if (size <= 0) return std::nullopt;
  auto token = text.text().substr(0, static_cast<std::size_t>(size));
  if (token.ends_with('\n')) token.remove_suffix(1);
  return Secret{token};
}

/// Under another name first: there is never half a token in the file.
Result<void> write_token(const std::filesystem::path& path, const Secret& token) {
  const auto temporary = path.string() + ".new";
  const auto failed = [&](std::string_view what) {
    const auto error = std::generic_category().message(errno);
    ::unlink(temporary.c_str());
    return fail(ErrorCode::internal, "Cannot " + std::string{what} + " " + path.string() + ": " + error);
  };
  ::unlink(temporary.c_str());  // of a start that was killed
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed("create");
  const bool written =
      ::write(file, token.bytes().data(), token.size()) == static_cast<ssize_t>(token.size()) &&
      ::write(file, "\n", 1) == 1 && ::fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(temporary.c_str(), path.c_str()) != 0) return failed("write");
  return {};
}

}  // namespace

std::filesystem::path setup_token_path(const Config& config) { return config.storage.data / "setup-token"; }

void remove_setup_token_file(const std::filesystem::path& file) { ::unlink(file.c_str()); }

Result<std::optional<Secret>> prepare_setup_token(Core& core, const std::filesystem::path& file) {
  const auto need = core.database->blocking_read(domain::find_setup_need);
  if (need == domain::SetupNeed::none) {
    remove_setup_token_file(file);
    return std::nullopt;
  }
  if (const auto kept = read_token(file)) {
    const bool live = core.database->blocking_read(
        [hash = domain::hash_setup_token(kept->bytes())](storage::Transaction& transaction) {
          return domain::is_setup_token_live(transaction, hash);
        });
    if (live) return std::nullopt;
  }
  auto token = domain::make_setup_token(core.random);
  // The file first: a token that nobody can read would be of no use, one that is not stored yet is harmless.
  if (auto written = write_token(file, token); !written) return fail_from(written);
  core.database->blocking_write([&core, hash = domain::hash_setup_token(token.bytes()),
                                 now = core.clock.now()](storage::Transaction& transaction) {
    domain::replace_setup_token(transaction, hash, now);
    core.events->record(transaction, {.name = "sensitive_create", .reason = "setup_token"});
  });
  return token;
}

}  // namespace keyward::app
