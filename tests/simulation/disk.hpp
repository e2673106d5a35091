// Disk: files in memory, with what was written (all that a running machine reads) apart from what was synced
// (all that survives a power cut for certain).
//
// What was written and not synced is, at a power cut, kept, lost or torn, sector by sector. A process that
// dies takes its locks and its memory with it, and nothing that it has written. Operations fail as a schedule
// wants: reads, writes, a full disk, a sync that loses what it was to keep (and the next one knows nothing of
// it), locks that others hold. Files that are made or deleted are so for certain only once their folder is
// synced, which the first sync of a journal does.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "simulation/clock.hpp"
#include "simulation/dice.hpp"

namespace keyward::simulation {

using ProcessId = int;
inline constexpr std::uint64_t sector_bytes = 512;

enum class Outcome : std::uint8_t { ok, short_read, io_error, full, busy, missing };
enum class Death : std::uint8_t { process, power };

/// How many of 10,000 operations fail.
struct FaultRates {
  unsigned read = 0;
  unsigned write = 0;
  unsigned full = 0;
  unsigned sync = 0;
  unsigned lock = 0;
  unsigned open = 0;
};

struct DiskCounts {
  std::uint64_t writes = 0, syncs = 0, faults = 0, deaths_inside = 0;
};

class Disk {
 public:
  struct Write {
    std::uint64_t offset = 0;
    Bytes bytes;
    bool truncates = false;  // to `offset`
  };
  struct Handle;
  using Region = std::array<std::uint8_t, 32'768>;
  struct File {
    Bytes written;
    Bytes synced;
    std::vector<Write> unsynced;
    bool entry_synced = false;
    std::vector<Handle*> open;
    std::vector<std::unique_ptr<Region>> shared_memory;
    std::vector<std::unique_ptr<Region>> retired_memory;  // of the dead, who may still hold it
    std::vector<Region> memory_at_death;
  };
  static constexpr unsigned shared_locks = 8;
  struct Handle {
    std::shared_ptr<File> file;
    ProcessId owner = 0;
    bool syncs_folder = false;
    int lock = 0;  // SQLite's levels
    std::array<std::uint8_t, shared_locks> shared{};
    std::array<std::uint8_t, shared_locks> exclusive{};
    bool maps_memory = false;
  };
  using Image = std::map<std::string, Bytes>;

  Disk(Dice dice, SimulatedClock& clock) : dice_(dice), clock_(clock) {}

  // ── What a schedule does ──
  ProcessId start_process();
  void kill(ProcessId process);
  /// Every process dies. restore_power() decides what is left.
  void cut_power();
  void restore_power();
  [[nodiscard]] bool is_alive(ProcessId process) const;
  /// The `count`th operation from now on is somebody's last.
  void arm(std::uint64_t count, Death how);
  [[nodiscard]] bool is_armed() const { return countdown_ != 0; }
  [[nodiscard]] bool is_powered() const { return powered_; }
  FaultRates rates;
  bool syncs_lie = false;  // a disk that says yes and keeps nothing; to see that this is noticed

  /// An empty file, unless there is one (as storage/sqlite/data_folder makes it).
  void prepare(const std::string& name);
  [[nodiscard]] Image image() const;
  /// All of it synced.
  void load(const Image& image);
  [[nodiscard]] std::uint64_t hash() const;
  [[nodiscard]] const DiskCounts& counts() const { return counts_; }
  [[nodiscard]] SimulatedClock& clock() { return clock_; }
  [[nodiscard]] Dice& dice() { return dice_; }

  /// Whose code runs.
  class Running {
   public:
    Running(Disk& disk, ProcessId process) : disk_(disk), before_(disk.running_) { disk.running_ = process; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      if (!disk_.is_alive(disk_.running_)) disk_.forget_words_of_the_dead();
      disk_.running_ = before_;
    }

   private:
    Disk& disk_;
    ProcessId before_;
  };
  /// While it lives nothing fails and nobody dies: for those who look.
  class Quiet {
   public:
    explicit Quiet(Disk& disk) : disk_(disk) { ++disk_.quiet_; }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;
    ~Quiet() { --disk_.quiet_; }

   private:
    Disk& disk_;
  };

  // ── What SQLite's file system does, on behalf of whoever runs ──
  [[nodiscard]] Outcome open(const std::string& name, bool create, bool is_journal, Handle& handle);
  void close(Handle& handle);
  [[nodiscard]] Outcome remove(const std::string& name, bool syncs_folder);
  [[nodiscard]] std::optional<std::uint64_t> size_of(const std::string& name) const;
  [[nodiscard]] Outcome read(Handle& handle, std::uint64_t offset, std::span<std::uint8_t> to);
  [[nodiscard]] Outcome write(Handle& handle, std::uint64_t offset, BytesView bytes);
  [[nodiscard]] Outcome truncate(Handle& handle, std::uint64_t size);
  [[nodiscard]] Outcome sync(Handle& handle);
  [[nodiscard]] Outcome lock(Handle& handle, int level);
  void unlock(Handle& handle, int level);
  [[nodiscard]] Outcome lock_memory(Handle& handle, unsigned first, unsigned count, bool exclusively);
  void unlock_memory(Handle& handle, unsigned first, unsigned count);
  /// Null: there is none, and `extend` is false.
  [[nodiscard]] Outcome map_memory(Handle& handle, std::size_t region, bool extend, std::uint8_t*& memory);
  void unmap_memory(Handle& handle);

 private:
  [[nodiscard]] bool may_run(const Handle& handle) const { return is_alive(handle.owner); }
  [[nodiscard]] bool fails(unsigned rate);
  /// True: whoever runs dies now.
  [[nodiscard]] bool is_last();
  void die();
  void release(ProcessId process);
  void forget_words_of_the_dead();
  void sync_folder();
  void fail_sync(File& file);
  void lose(File& file);
  static void apply(Bytes& to, const Write& write);

  Dice dice_;
  SimulatedClock& clock_;
  std::map<std::string, std::shared_ptr<File>> files_;
  std::vector<std::pair<std::string, std::shared_ptr<File>>> removed_;  // the folder is not synced yet
  std::vector<bool> alive_{true};
  std::vector<Handle*> handles_;
  ProcessId running_ = 0;
  unsigned quiet_ = 0;
  std::uint64_t countdown_ = 0;
  Death death_ = Death::power;
  bool powered_ = true;
  DiskCounts counts_;
};

/// From now on every connection of SQLite in this program is to files of `disk`; null: to none.
void serve_sqlite(Disk* disk);

}  // namespace keyward::simulation
