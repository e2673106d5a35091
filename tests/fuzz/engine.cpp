// What libFuzzer calls. A program has one target.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  static const keyward::fuzz::Target& target = keyward::fuzz::targets().at(0);
  target.run({data, size_bytes});
  return 0;
}
