#include "mail/eml_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace keyward::mail {

namespace {

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] bool sync() const { return ::fsync(descriptor_) == 0; }
  [[nodiscard]] bool write(std::string_view text) const {
    while (!text.empty()) {
      const auto written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

 private:
  int descriptor_;
};

/// What is done in it is done in this one, whatever stands at its path meanwhile.
int open_folder(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool is_ours_alone(const File& folder) {
  constexpr mode_t others = 077;
  struct stat status{};
  return ::fstat(folder.descriptor(), &status) == 0 && status.st_uid == ::geteuid() &&
         (status.st_mode & others) == 0;
}

bool write_whole(const File& folder, const std::string& name, std::string_view bytes) {
  constexpr mode_t owner_only = 0600;
  ::unlinkat(folder.descriptor(), name.c_str(), 0);  // what a crash left
  const File file{::openat(folder.descriptor(), name.c_str(),
                           O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, owner_only)};
  return file.is_open() && file.write(bytes) && file.sync();
}

Delivery try_again(const std::filesystem::path& folder, std::string_view reason) {
  return {Delivery::Verdict::try_again, fmt::format("{}: {}", folder.string(), reason)};
}

}  // namespace

Delivery EmlFiles::blocking_deliver(const OutgoingMessage& message, const MayGoOn& /*may_go_on*/) {
  constexpr mode_t owner_only = 0700;
  const auto name = fmt::format("{}-{}.eml", message.id.to_string(), message.kind);
  const auto temporary = "." + name;
  // Made with its mode: there is no moment at which others may look in.
  const bool there = ::mkdir(folder_.c_str(), owner_only) == 0 || errno == EEXIST;
  const File folder{there ? open_folder(folder_) : -1};
  if (!folder.is_open()) return try_again(folder_, std::system_category().message(errno));
  if (!is_ours_alone(folder)) return try_again(folder_, "must belong to the server's user, with mode 0700");
  if (write_whole(folder, temporary, message.bytes) &&
      ::renameat(folder.descriptor(), temporary.c_str(), folder.descriptor(), name.c_str()) == 0 &&
      folder.sync())
    return {Delivery::Verdict::delivered, {}};
  const auto reason = std::system_category().message(errno);
  ::unlinkat(folder.descriptor(), temporary.c_str(), 0);
  return try_again(folder_, reason);
}

std::size_t blocking_delete_eml_files(const std::filesystem::path& path,
                                      const std::function<bool(const Uuid&)>& is_over) {
  constexpr std::size_t id_size = 36;
  const File folder{open_folder(path)};
  if (!folder.is_open() || !is_ours_alone(folder)) return 0;
  std::size_t deleted = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at{path, error}, end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    // With a dot before it: one that was never finished.
    const auto id =
        Uuid::parse(std::string_view{name}.substr(name.starts_with('.') ? 1 : 0).substr(0, id_size));
    if (!id || !name.ends_with(".eml") || !is_over(*id)) continue;
    if (::unlinkat(folder.descriptor(), name.c_str(), 0) == 0) ++deleted;
  }
  return deleted;
}

}  // namespace keyward::mail
