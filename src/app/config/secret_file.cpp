#include "app/config/secret_file.hpp"

#include <fstream>
#include <string>

namespace keyward::app {

std::optional<Secret> read_secret_file(const std::filesystem::path& path) {
  constexpr std::size_t secret_file_max_bytes = 4096;
  std::ifstream stream{path, std::ios::binary};
  std::string content(secret_file_max_bytes, '\0');
  if (!stream.read(content.data(), static_cast<std::streamsize>(content.size())) && !stream.eof())
    return std::nullopt;
  content.resize(static_cast<std::size_t>(stream.gcount()));
  // Editors and `echo` end a file with a line feed, which is no part of the secret.
  content.erase(content.find_last_not_of("\r\n") + 1);
  return Secret::take(content);
}

}  // namespace keyward::app
