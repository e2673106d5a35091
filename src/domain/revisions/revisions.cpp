#include "domain/revisions/revisions.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace keyward::domain {

Result<std::unique_ptr<Revisions>> Revisions::open(const std::filesystem::path& folder) {
  const auto path = folder / "revisions";
  const auto failed = [&](std::string_view what) {
    return fail(ErrorCode::internal, "Cannot " + std::string(what) + " " + path.string() + ": " +
                                         std::generic_category().message(errno));
  };
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed("open");
  constexpr auto size_bytes = count * sizeof(Counter);
  // A new file is all zeros, which is as good a start as any: only changes count.
  if (::ftruncate(file, static_cast<off_t>(size_bytes)) != 0) {
    const auto error = failed("size");
    ::close(file);
    return error;
  }
  void* const memory = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  const auto error = failed("map");
  ::close(file);  // the mapping stays
  if (memory == MAP_FAILED) return error;
  return std::unique_ptr<Revisions>(new Revisions({static_cast<Counter*>(memory), count}));
}

Revisions::~Revisions() { ::munmap(counters_.data(), counters_.size_bytes()); }

}  // namespace keyward::domain
