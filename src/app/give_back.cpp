#include "app/give_back.hpp"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <string_view>

#include "base/limits.hpp"

namespace keyward::app {

namespace {

bool overlaps(const ElfW(Phdr) & segment, const ElfW(Phdr) & other) {
  return segment.p_vaddr < other.p_vaddr + other.p_memsz && other.p_vaddr < segment.p_vaddr + segment.p_memsz;
}

/// What the loader has written to, or still may.
bool is_written(const ElfW(Phdr) & segment, std::span<const ElfW(Phdr)> all) {
  if ((segment.p_flags & PF_W) != 0) return true;
  return std::ranges::any_of(
      all, [&](const auto& other) { return other.p_type == PT_GNU_RELRO && overlaps(segment, other); });
}

/// An object whose loader would write into its text. There is none on the machines that we know.
bool has_text_relocations(ElfW(Addr) base, std::span<const ElfW(Phdr)> all) {
  for (const auto& segment : all) {
    if (segment.p_type != PT_DYNAMIC) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how ELF says where it is
    for (const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(base + segment.p_vaddr);
         entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_TEXTREL) return true;
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): ELF's own
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0) return true;
    }
  }
  return false;
}

/// Runs under the loader's lock, so that no object comes or goes meanwhile.
int give_back_object(dl_phdr_info* object, std::size_t /*size*/, void* page_bytes) {
  const std::span<const ElfW(Phdr)> all{object->dlpi_phdr, object->dlpi_phnum};
  const std::string_view name{object->dlpi_name};
  const bool is_file =
      name.empty() || name.starts_with('/');  // empty: the program; without a slash: the vDSO
  if (!is_file || has_text_relocations(object->dlpi_addr, all)) return 0;
  const auto page = *static_cast<const std::uintptr_t*>(page_bytes);
  for (const auto& segment : all) {
    if (segment.p_type != PT_LOAD || is_written(segment, all)) continue;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr + page - 1) / page * page;
    const std::uintptr_t end = (object->dlpi_addr + segment.p_vaddr + segment.p_memsz) / page * page;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): as above
    if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

void give_back_file_pages() {
  auto page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  ::dl_iterate_phdr(give_back_object, &page_bytes);
}

}  // namespace

void give_back_memory() {
  ::malloc_trim(0);
  give_back_file_pages();
}

void GiveBack::start() {
  thread_ = std::jthread{[this] { thread_main(); }};
}

void GiveBack::stop() {
  stopping_ = true;
  doorbell_.ring();
  if (thread_.joinable()) thread_.join();
}

void GiveBack::thread_main() {
  pthread_setname_np(pthread_self(), "kw-give-back");
  bool is_due = true;
  std::uint64_t seen = 0;
  microseconds rest = limits::give_back_after_start;
  while (true) {
    doorbell_.wait_for(rest, [this] { return stopping_.load(); });
    if (stopping_) return;
    const std::uint64_t events = count_events_();
    const bool is_busy = events - seen > limits::give_back_events_max;
    seen = events;
    if (is_due && !is_busy) give_back_memory();
    is_due = is_busy;
    rest = limits::give_back_interval;
  }
}

}  // namespace keyward::app
