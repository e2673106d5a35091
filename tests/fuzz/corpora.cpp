// Replays what is known: each file of corpus/TARGET and regressions/TARGET goes through its target once.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fuzz.hpp"

namespace keyward::fuzz {
namespace {

namespace fs = std::filesystem;

Bytes read_file(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const BytesView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  if (fs::is_directory(folder)) files.assign(fs::directory_iterator{folder}, {});
  std::ranges::sort(files);
  return files;
}

class Replay final : public testing::Test {
 public:
  explicit Replay(const Target& target) : target_(target) {}

  void TestBody() override {
    const fs::path here{KEYWARD_FUZZ_FOLDER};
    const auto corpus = files_of(here / "corpus" / target_.name);
    EXPECT_FALSE(corpus.empty()) << "a target without a corpus replays nothing";
    target_.run({});
    for (const auto& files : {corpus, files_of(here / "regressions" / target_.name)}) {
      for (const fs::path& path : files) {
        SCOPED_TRACE(path.string());
        // Of its very size, so that the address sanitizer sees a byte too far.
        const Bytes bytes = read_file(path);
        EXPECT_NO_THROW(target_.run(bytes));
      }
    }
  }

 private:
  Target target_;
};

}  // namespace
}  // namespace keyward::fuzz

int main(int argument_count, char** arguments) {
  testing::InitGoogleTest(&argument_count, arguments);
  if (keyward::fuzz::targets().empty()) return 1;
  for (const auto& target : keyward::fuzz::targets()) {
    const std::string name{target.name};
    testing::RegisterTest("Fuzz", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [target]() -> testing::Test* { return new keyward::fuzz::Replay(target); });
  }
  return RUN_ALL_TESTS();
}
