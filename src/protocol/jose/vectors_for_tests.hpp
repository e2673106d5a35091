// Reads tests/vectors/jose/. For the tests beside this file only.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "text/json.hpp"

namespace keyward::protocol::jose {

inline text::json::object read_vectors(const std::string& name) {
  const auto path = std::string{KEYWARD_TEST_VECTORS} + "/jose/" + name;
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto value = text::parse_json(text, {.max_bytes = 4 * 1024 * 1024, .max_depth = 32});
  if (!value) throw std::runtime_error(path + ": " + value.error().message);
  return value->as_object();
}

/// The rows of a vector file; a file without rows would test nothing.
inline text::json::array rows_of(const text::json::object& vectors, const char* name = "rows") {
  auto rows = vectors.at(name).as_array();
  if (rows.empty()) throw std::runtime_error("a vector file without rows");
  return rows;
}

inline std::string string_of(const text::json::value& row, const char* name) {
  return std::string{row.at(name).as_string()};
}

}  // namespace keyward::protocol::jose
