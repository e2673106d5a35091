#include "mail/eml_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace keyward::mail {

namespace {

class File {
 public:
  File(const std::filesystem::path& path, int flags, mode_t mode = 0)
      : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
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

bool write_whole(const std::filesystem::path& path, std::string_view bytes) {
  constexpr mode_t owner_only = 0600;
  const File file{path, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, owner_only};
  return file.is_open() && file.write(bytes) && file.sync();
}

}  // namespace

Delivery EmlFiles::blocking_deliver(const OutgoingMessage& message, const MayGoOn& /*may_go_on*/) {
  constexpr mode_t owner_only = 0700;
  const auto name = fmt::format("{}-{}.eml", message.id.to_string(), message.kind);
  const auto temporary = folder_ / ("." + name);
  // Made with its mode: there is no moment at which others may look in.
  const bool there = ::mkdir(folder_.c_str(), owner_only) == 0 || errno == EEXIST;
  if (there && write_whole(temporary, message.bytes) &&
      ::rename(temporary.c_str(), (folder_ / name).c_str()) == 0 &&
      File{folder_, O_RDONLY | O_DIRECTORY}.sync())
    return {Delivery::Verdict::delivered, {}};
  const auto reason = std::system_category().message(errno);
  ::unlink(temporary.c_str());
  return {Delivery::Verdict::try_again, fmt::format("{}: {}", folder_.string(), reason)};
}

}  // namespace keyward::mail
