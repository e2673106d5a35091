#include "simulation/disk.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace keyward::simulation {

ProcessId Disk::start_process() {
  alive_.push_back(true);
  return static_cast<ProcessId>(alive_.size()) - 1;
}

bool Disk::is_alive(ProcessId process) const { return alive_.at(static_cast<std::size_t>(process)); }

void Disk::release(ProcessId process) {
  for (auto* handle : handles_) {
    if (handle->owner != process) continue;
    handle->lock = 0;
    handle->shared = {};
    handle->exclusive = {};
    unmap_memory(*handle);
  }
}

void Disk::kill(ProcessId process) {
  alive_.at(static_cast<std::size_t>(process)) = false;
  release(process);
}

void Disk::cut_power() {
  for (ProcessId process = 1; process < static_cast<ProcessId>(alive_.size()); ++process) kill(process);
  powered_ = false;
  countdown_ = 0;
}

void Disk::restore_power() {
  powered_ = true;
  for (auto& [name, file] : removed_) {
    if (!files_.contains(name) && dice_.one_in(2)) files_.emplace(name, file);
  }
  removed_.clear();
  std::erase_if(files_, [&](const auto& named) { return !named.second->entry_synced && dice_.one_in(2); });
  for (auto& [name, file] : files_) {
    file->entry_synced = true;
    lose(*file);
  }
}

void Disk::apply(Bytes& to, const Write& write) {
  if (write.truncates) {
    to.resize(write.offset);
    return;
  }
  if (to.size() < write.offset + write.bytes.size()) to.resize(write.offset + write.bytes.size());
  std::ranges::copy(write.bytes, to.begin() + static_cast<std::ptrdiff_t>(write.offset));
}

/// What is left of a file after a power cut.
void Disk::lose(File& file) {
  enum Way : std::uint8_t { nothing, everything, beginning, each_by_itself };
  const auto way = static_cast<Way>(dice_.below(4));
  const auto kept = dice_.below(file.unsynced.size() + 1);
  for (std::size_t i = 0; i < file.unsynced.size(); ++i) {
    const auto& write = file.unsynced[i];
    if (way == nothing || (way == beginning && i > kept)) break;
    if (way == everything || (way == beginning && i < kept)) {
      apply(file.synced, write);
      continue;
    }
    if (write.truncates) {
      if (dice_.one_in(2)) apply(file.synced, write);
      continue;
    }
    for (std::uint64_t at = 0; at < write.bytes.size();) {
      const auto to_end = sector_bytes - (write.offset + at) % sector_bytes;
      const auto length = std::min<std::uint64_t>(to_end, write.bytes.size() - at);
      const auto from = write.bytes.begin() + static_cast<std::ptrdiff_t>(at);
      Write piece{.offset = write.offset + at, .bytes = {from, from + static_cast<std::ptrdiff_t>(length)}};
      const auto fate = dice_.below(20);
      if (fate == 0) piece.bytes.resize(dice_.below(length));  // torn
      if (fate == 1) {
        for (auto& byte : piece.bytes) byte = static_cast<std::uint8_t>(dice_.next());  // garbage
      }
      if (fate < 11) apply(file.synced, piece);
      at += length;
    }
  }
  file.unsynced.clear();
  file.written = file.synced;
  file.shared_memory.clear();
  file.retired_memory.clear();
}

void Disk::arm(std::uint64_t count, Death how) {
  countdown_ = count;
  death_ = how;
}

bool Disk::is_last() {
  if (quiet_ != 0 || countdown_ == 0 || running_ == 0) return false;
  return --countdown_ == 0;
}

void Disk::die() {
  ++counts_.deaths_inside;
  if (death_ == Death::power) {
    cut_power();
    return;
  }
  // SQLite goes on until it has returned, and tidies up in memory that others share: the dead cannot.
  for (auto& [name, file] : files_) {
    for (const auto& region : file->shared_memory) file->memory_at_death.push_back(*region);
  }
  kill(running_);
}

void Disk::forget_words_of_the_dead() {
  for (auto& [name, file] : files_) {
    for (std::size_t i = 0; i < file->memory_at_death.size(); ++i)
      *file->shared_memory.at(i) = file->memory_at_death[i];
    file->memory_at_death.clear();
  }
}

bool Disk::fails(unsigned rate) {
  if (quiet_ != 0 || running_ == 0 || !dice_.chance(rate)) return false;
  ++counts_.faults;
  return true;
}

void Disk::prepare(const std::string& name) {
  if (!files_.contains(name)) files_.emplace(name, std::make_shared<File>());
}

Disk::Image Disk::image() const {
  Image image;
  for (const auto& [name, file] : files_) image.emplace(name, file->written);
  return image;
}

void Disk::load(const Image& image) {
  files_.clear();
  for (const auto& [name, bytes] : image) {
    auto file = std::make_shared<File>();
    file->written = file->synced = bytes;
    file->entry_synced = true;
    files_.emplace(name, std::move(file));
  }
}

std::uint64_t Disk::hash() const {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  for (const auto& [name, file] : files_) {
    for (const auto byte : file->written) hash = (hash ^ byte) * 0x100000001B3U;
  }
  return hash;
}

Outcome Disk::open(const std::string& name, bool create, bool is_journal, Handle& handle) {
  if (!is_alive(running_) || fails(rates.open)) return Outcome::missing;
  auto found = files_.find(name);
  if (found == files_.end()) {
    if (!create) return Outcome::missing;
    found = files_.emplace(name, std::make_shared<File>()).first;
  }
  handle.syncs_folder = create && is_journal;  // whether or not it was there: as SQLite's own on Unix
  handle.file = found->second;
  handle.owner = running_;
  handle.file->open.push_back(&handle);
  handles_.push_back(&handle);
  return Outcome::ok;
}

void Disk::close(Handle& handle) {
  unmap_memory(handle);
  std::erase(handle.file->open, &handle);
  std::erase(handles_, &handle);
  handle.file.reset();
}

Outcome Disk::remove(const std::string& name, bool syncs_folder) {
  if (!is_alive(running_)) return Outcome::io_error;
  const auto found = files_.find(name);
  if (found == files_.end()) return Outcome::missing;
  if (is_last()) {
    die();
    return Outcome::io_error;
  }
  removed_.emplace_back(name, found->second);
  files_.erase(found);
  if (syncs_folder) sync_folder();
  return Outcome::ok;
}

std::optional<std::uint64_t> Disk::size_of(const std::string& name) const {
  const auto found = files_.find(name);
  if (found == files_.end()) return std::nullopt;
  return found->second->written.size();
}

Outcome Disk::read(Handle& handle, std::uint64_t offset, std::span<std::uint8_t> to) {
  if (!may_run(handle) || fails(rates.read)) return Outcome::io_error;
  const auto& bytes = handle.file->written;
  std::ranges::fill(to, std::uint8_t{0});
  if (offset >= bytes.size()) return Outcome::short_read;
  const auto there = std::min<std::uint64_t>(to.size(), bytes.size() - offset);
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), there, to.begin());
  return there < to.size() ? Outcome::short_read : Outcome::ok;
}

Outcome Disk::write(Handle& handle, std::uint64_t offset, BytesView bytes) {
  ++counts_.writes;
  if (!may_run(handle)) return Outcome::io_error;
  auto& file = *handle.file;
  const bool dies = is_last();
  const bool breaks = !dies && fails(rates.write);
  if (!dies && !breaks && offset + bytes.size() > file.written.size() && fails(rates.full))
    return Outcome::full;
  // Who dies or fails in the middle has written some of it.
  const auto length = dies || breaks ? dice_.below(bytes.size() + 1) : bytes.size();
  file.unsynced.push_back(
      {.offset = offset, .bytes = {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)}});
  apply(file.written, file.unsynced.back());
  if (dies) die();
  return dies || breaks ? Outcome::io_error : Outcome::ok;
}

Outcome Disk::truncate(Handle& handle, std::uint64_t size) {
  if (!may_run(handle) || fails(rates.write)) return Outcome::io_error;
  if (is_last()) {
    die();
    return Outcome::io_error;
  }
  handle.file->unsynced.push_back({.offset = size, .bytes = {}, .truncates = true});
  handle.file->written.resize(size);
  return Outcome::ok;
}

void Disk::sync_folder() {
  removed_.clear();
  for (auto& [name, file] : files_) file->entry_synced = true;
}

/// A sync that fails may have kept all, nothing, or some of it; and the system may take for clean what is on
/// no disk, so that the next sync says yes and keeps nothing of it.
void Disk::fail_sync(File& file) {
  enum Way : std::uint8_t { stays_unsynced, kept, dropped };
  const auto way = static_cast<Way>(dice_.below(3));
  if (way == stays_unsynced) return;
  const auto count = way == kept ? file.unsynced.size() : dice_.below(file.unsynced.size() + 1);
  for (std::size_t i = 0; i < count; ++i) apply(file.synced, file.unsynced[i]);
  file.unsynced.clear();
}

Outcome Disk::sync(Handle& handle) {
  ++counts_.syncs;
  if (!may_run(handle)) return Outcome::io_error;
  if (is_last()) {
    die();
    return Outcome::io_error;
  }
  auto& file = *handle.file;
  if (fails(rates.sync)) {
    fail_sync(file);
    return Outcome::io_error;
  }
  if (syncs_lie) return Outcome::ok;
  for (const auto& write : file.unsynced) apply(file.synced, write);
  file.unsynced.clear();
  if (std::exchange(handle.syncs_folder, false)) sync_folder();
  return Outcome::ok;
}

Outcome Disk::lock(Handle& handle, int level) {
  constexpr int shared = 1;
  constexpr int reserved = 2;
  constexpr int exclusive = 4;
  if (!may_run(handle)) return Outcome::io_error;
  if (handle.lock >= level) return Outcome::ok;
  if (fails(rates.lock)) return Outcome::busy;
  for (const auto* other : handle.file->open) {
    if (other == &handle) continue;
    if (level == shared && other->lock > reserved) return Outcome::busy;
    if (level == reserved && other->lock >= reserved) return Outcome::busy;
    if (level == exclusive && other->lock >= shared) return Outcome::busy;
  }
  handle.lock = level;
  return Outcome::ok;
}

void Disk::unlock(Handle& handle, int level) { handle.lock = std::min(handle.lock, level); }

Outcome Disk::lock_memory(Handle& handle, unsigned first, unsigned count, bool exclusively) {
  if (!may_run(handle)) return Outcome::io_error;
  if (fails(rates.lock)) return Outcome::busy;
  for (const auto* other : handle.file->open) {
    for (unsigned i = first; other != &handle && i < first + count; ++i) {
      if (other->exclusive.at(i) != 0 || (exclusively && other->shared.at(i) != 0)) return Outcome::busy;
    }
  }
  for (unsigned i = first; i < first + count; ++i) (exclusively ? handle.exclusive : handle.shared).at(i) = 1;
  return Outcome::ok;
}

void Disk::unlock_memory(Handle& handle, unsigned first, unsigned count) {
  for (unsigned i = first; i < first + count; ++i) handle.shared.at(i) = handle.exclusive.at(i) = 0;
}

Outcome Disk::map_memory(Handle& handle, std::size_t region, bool extend, std::uint8_t*& memory) {
  memory = nullptr;
  if (!may_run(handle)) return Outcome::io_error;
  auto& regions = handle.file->shared_memory;
  const auto maps = [](const Handle* each) { return each->maps_memory; };
  // Of those who died nobody is left to say what it holds.
  if (std::ranges::none_of(handle.file->open, maps)) {
    std::ranges::move(regions, std::back_inserter(handle.file->retired_memory));
    regions.clear();
  }
  handle.maps_memory = true;
  while (extend && regions.size() <= region) regions.push_back(std::make_unique<Region>());
  if (region < regions.size()) memory = regions[region]->data();
  return Outcome::ok;
}

void Disk::unmap_memory(Handle& handle) {
  handle.maps_memory = false;
  handle.shared = {};
  handle.exclusive = {};
}

}  // namespace keyward::simulation
