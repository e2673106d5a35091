// The simulated disk as SQLite's file system (sqlite.org/vfs.html).
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "simulation/disk.hpp"

namespace keyward::simulation {
namespace {

Disk* served = nullptr;

struct OpenFile {
  sqlite3_file base;
  Disk::Handle* handle;
};

Disk::Handle& handle_of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file)->handle; }

int to_code(Outcome outcome, int when_broken) {
  switch (outcome) {
    case Outcome::ok:
      return SQLITE_OK;
    case Outcome::short_read:
      return SQLITE_IOERR_SHORT_READ;
    case Outcome::io_error:
      return when_broken;
    case Outcome::full:
      return SQLITE_FULL;
    case Outcome::busy:
      return SQLITE_BUSY;
    case Outcome::missing:
      return SQLITE_CANTOPEN;
  }
  return SQLITE_INTERNAL;
}

int close_file(sqlite3_file* file) {
  auto& open = *reinterpret_cast<OpenFile*>(file);
  if (open.handle != nullptr) served->close(*open.handle);
  delete open.handle;
  open.handle = nullptr;
  return SQLITE_OK;
}
int read_file(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
  return to_code(served->read(handle_of(file), static_cast<std::uint64_t>(offset),
                              {static_cast<std::uint8_t*>(to), static_cast<std::size_t>(count)}),
                 SQLITE_IOERR_READ);
}
int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  return to_code(served->write(handle_of(file), static_cast<std::uint64_t>(offset),
                               {static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(count)}),
                 SQLITE_IOERR_WRITE);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return to_code(served->truncate(handle_of(file), static_cast<std::uint64_t>(size)), SQLITE_IOERR_TRUNCATE);
}
int sync_file(sqlite3_file* file, int /*flags*/) {
  return to_code(served->sync(handle_of(file)), SQLITE_IOERR_FSYNC);
}
int size_file(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(handle_of(file).file->written.size());
  return SQLITE_OK;
}
int lock_file(sqlite3_file* file, int level) {
  return to_code(served->lock(handle_of(file), level), SQLITE_IOERR_LOCK);
}
int unlock_file(sqlite3_file* file, int level) {
  served->unlock(handle_of(file), level);
  return SQLITE_OK;
}
int is_reserved(sqlite3_file* file, int* yes) {
  const auto& others = handle_of(file).file->open;
  *yes = std::ranges::any_of(others, [](const auto* each) { return each->lock >= SQLITE_LOCK_RESERVED; }) ? 1
                                                                                                          : 0;
  return SQLITE_OK;
}
int control_file(sqlite3_file* /*file*/, int /*operation*/, void* /*argument*/) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file* /*file*/) { return 4096; }
/// As of SQLite's own on Unix: what is torn is what was being written, never what lies beside it.
int characteristics(sqlite3_file* /*file*/) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_memory(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  if (size != static_cast<int>(sizeof(Disk::Region))) return SQLITE_IOERR_SHMMAP;
  std::uint8_t* mapped = nullptr;
  const auto outcome =
      served->map_memory(handle_of(file), static_cast<std::size_t>(region), extend != 0, mapped);
  *memory = mapped;
  return to_code(outcome, SQLITE_IOERR_SHMMAP);
}
int lock_memory(sqlite3_file* file, int first, int count, int flags) {
  const auto from = static_cast<unsigned>(first);
  const auto length = static_cast<unsigned>(count);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    served->unlock_memory(handle_of(file), from, length);
    return SQLITE_OK;
  }
  const bool exclusively = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  return to_code(served->lock_memory(handle_of(file), from, length, exclusively), SQLITE_IOERR_SHMLOCK);
}
void order_memory(sqlite3_file* /*file*/) {}
int unmap_memory(sqlite3_file* file, int /*remove*/) {
  served->unmap_memory(handle_of(file));
  return SQLITE_OK;
}

const sqlite3_io_methods methods{
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_file,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = is_reserved,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_memory,
    .xShmLock = lock_memory,
    .xShmBarrier = order_memory,
    .xShmUnmap = unmap_memory,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open_file(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  auto& open = *reinterpret_cast<OpenFile*>(file);
  open = {};
  if (served == nullptr || name == nullptr) return SQLITE_CANTOPEN;  // nothing of ours makes nameless files
  auto handle = std::make_unique<Disk::Handle>();
  const bool is_journal = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  const auto outcome = served->open(name, (flags & SQLITE_OPEN_CREATE) != 0, is_journal, *handle);
  if (outcome != Outcome::ok) return SQLITE_CANTOPEN;
  open.handle = handle.release();
  open.base.pMethods = &methods;
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}
int remove_file(sqlite3_vfs* /*vfs*/, const char* name, int syncs_folder) {
  const auto outcome = served->remove(name, syncs_folder != 0);
  return outcome == Outcome::missing ? SQLITE_IOERR_DELETE_NOENT : to_code(outcome, SQLITE_IOERR_DELETE);
}
int access_file(sqlite3_vfs* /*vfs*/, const char* name, int flags, int* yes) {
  const auto size = served->size_of(name);
  // As SQLite's own: an empty file is none, for who asks whether it is there.
  *yes = size && (flags != SQLITE_ACCESS_EXISTS || *size != 0) ? 1 : 0;
  return SQLITE_OK;
}
int full_path(sqlite3_vfs* /*vfs*/, const char* name, int size, char* to) {
  sqlite3_snprintf(size, to, "%s", name);
  return SQLITE_OK;
}
int draw_random(sqlite3_vfs* /*vfs*/, int count, char* to) {
  for (int i = 0; i < count; ++i) to[i] = static_cast<char>(served->dice().next() >> 56U);
  return count;
}
int sleep_for(sqlite3_vfs* /*vfs*/, int pause_us) {
  served->clock().pass(microseconds{pause_us});
  return pause_us;
}
int current_time(sqlite3_vfs* /*vfs*/, sqlite3_int64* time_ms) {
  constexpr sqlite3_int64 julian_1970_ms = 210'866'760'000'000;
  *time_ms = julian_1970_ms + served->clock().now().time_since_epoch().count() / 1000;
  return SQLITE_OK;
}
int last_error(sqlite3_vfs* /*vfs*/, int /*size*/, char* /*to*/) { return 0; }

sqlite3_vfs file_system{
    .iVersion = 2,
    .szOsFile = sizeof(OpenFile),
    .mxPathname = 512,
    .pNext = nullptr,
    .zName = "keyward-simulation",
    .pAppData = nullptr,
    .xOpen = open_file,
    .xDelete = remove_file,
    .xAccess = access_file,
    .xFullPathname = full_path,
    .xDlOpen = nullptr,
    .xDlError = nullptr,
    .xDlSym = nullptr,
    .xDlClose = nullptr,
    .xRandomness = draw_random,
    .xSleep = sleep_for,
    .xCurrentTime = nullptr,
    .xGetLastError = last_error,
    .xCurrentTimeInt64 = current_time,
    .xSetSystemCall = nullptr,
    .xGetSystemCall = nullptr,
    .xNextSystemCall = nullptr,
};

}  // namespace

void serve_sqlite(Disk* disk) {
  served = disk;
  sqlite3_vfs_register(&file_system, 1);
  sqlite3_randomness(0, nullptr);  // its generator is seeded anew, from our dice
}

}  // namespace keyward::simulation
