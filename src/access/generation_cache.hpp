// GenerationCache: a bounded map that forgets what was not asked for lately, at constant cost and without a
// clock.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace keyward::access {

/// Two generations of at most `max_entries` / 2 each. What is found in the older one moves to the younger;
/// when the younger is full it becomes the older, and the older is dropped. For one thread.
template <class Value>
class GenerationCache {
 public:
  explicit GenerationCache(std::size_t max_entries) : generation_max_(max_entries / 2) {}

  /// Valid until the next call of put().
  Value* find(std::string_view key) {
    if (const auto found = young_.find(key); found != young_.end()) return &found->second;
    const auto found = old_.find(key);
    if (found == old_.end()) return nullptr;
    auto node = old_.extract(found);
    make_room();
    return &young_.insert(std::move(node)).position->second;
  }

  void put(std::string_view key, Value value) {
    old_.erase(std::string{key});
    if (const auto found = young_.find(key); found != young_.end()) {
      found->second = std::move(value);
      return;
    }
    make_room();
    young_.emplace(key, std::move(value));
  }

  [[nodiscard]] std::size_t size() const { return young_.size() + old_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Generation = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  void make_room() {
    if (young_.size() < generation_max_) return;
    old_ = std::move(young_);
    young_.clear();
  }

  std::size_t generation_max_;
  Generation young_;
  Generation old_;
};

}  // namespace keyward::access
