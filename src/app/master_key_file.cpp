#include "app/master_key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

namespace keyward::app {

namespace {

std::unexpected<Error> failed(const std::string& what, const std::filesystem::path& path) {
  return fail(ErrorCode::internal,
              "Cannot " + what + " " + path.string() + ": " + std::generic_category().message(errno));
}

/// The file's text; nothing when there is no file.
Result<std::optional<Secret>> read_key_file(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) {
    if (errno == ENOENT) return std::optional<Secret>{};
    return failed("open", path);
  }
  struct stat status{};
  auto text = Secret::of_size(256);
  const auto size = ::read(file, text.mutable_bytes().data(), text.size());
  const bool known = size >= 0 && ::fstat(file, &status) == 0;
  ::close(file);
  if (!known) return failed("read", path);
  if ((status.st_mode & 077U) != 0) {
    return fail(ErrorCode::internal, "Others can read " + path.string() +
                                         ": run chmod 600 on it (and change the key if they did)");
  }
  return Secret{text.bytes().first(static_cast<std::size_t>(size))};
}

/// Written whole and durably under another name, then linked: there is never half a key, and only one process
/// wins.
Result<void> write_key_file(const std::filesystem::path& path, const Secret& text, Random& random) {
  const auto temporary = path.string() + "." + to_hex(random.bytes<8>());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed("create", temporary);
  const auto written = ::write(file, text.bytes().data(), text.size());
  const bool durable = written == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  ::close(file);
  const bool linked = durable && (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const auto error = failed("write", path);
  ::unlink(temporary.c_str());
  if (!linked) return error;
  const int folder = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0 || ::fsync(folder) != 0) return failed("make durable", path);
  ::close(folder);
  return {};
}

}  // namespace

Result<crypto::MasterKey> load_master_key(const Config& config, const std::filesystem::path& folder,
                                          bool may_make, Random& random) {
  if (!config.secrets.master_key.bytes.empty()) {
    return crypto::MasterKey::from_bytes(config.secrets.master_key.bytes.copy());
  }
  const auto path = folder / "master.key";
  auto text = read_key_file(path);
  if (text && !*text && !may_make) {
    return fail(ErrorCode::not_found,
                "The master key is missing: restore " + path.string() +
                    " or set KEYWARD_MASTER_KEY_FILE; the signing keys are sealed with it");
  }
  if (text && !*text) {
    if (auto written = write_key_file(path, crypto::MasterKey::generate(random).to_text(), random); !written)
      return fail_from(written);
    text = read_key_file(path);  // another process may have been first: its key counts
  }
  if (!text) return fail_from(text);
  if (!*text) return fail(ErrorCode::internal, "Cannot read " + path.string());
  auto key = crypto::MasterKey::parse(**text);
  if (!key) return fail(ErrorCode::internal, path.string() + ": " + key.error().message);
  return key;
}

}  // namespace keyward::app
