#include "app/give_back.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <stdexcept>
#include <string>

namespace keyward::app {
namespace {

// Where the loader writes addresses: .data.rel.ro, which is read-only afterwards.
const std::array<const char*, 3> relocated{"one", "two", "three"};

std::size_t resident_kb(const std::string& kind) {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kind + ":")) return std::stoul(line.substr(kind.size() + 1));
  }
  throw std::runtime_error("no " + kind);
}

TEST(GiveBack, pages_of_files_go_and_what_the_loader_wrote_stays) {
  const char* const volatile* const seen = relocated.data();  // read again below, not remembered
  const std::array<const char*, 3> before{relocated[0], relocated[1], relocated[2]};
  const auto files_kb = resident_kb("RssFile");
  give_back_memory();
  EXPECT_LT(resident_kb("RssFile"), files_kb * 3 / 4);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(seen[i], before[i]);
  EXPECT_THROW(throw std::runtime_error("the unwinder has its tables"), std::runtime_error);
}

}  // namespace
}  // namespace keyward::app
