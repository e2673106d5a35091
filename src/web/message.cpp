#include "web/message.hpp"

#include <utility>

#include "base/secret.hpp"
#include "web/engine/field_syntax.hpp"

namespace keyward::web {
namespace {

constexpr std::size_t usual_body_bytes = 256;
constexpr std::size_t kept_body_max_bytes = 2048;  // it is wiped for each answer, whatever was in it

std::string& body_storage() {
  thread_local std::string kept;
  return kept;
}

}  // namespace

std::string take_body_storage() {
  auto body = std::exchange(body_storage(), {});
  body.clear();
  body.reserve(usual_body_bytes);
  return body;
}

void keep_body_storage(std::string body) {
  wipe(body);
  if (body.capacity() <= kept_body_max_bytes && body.capacity() > body_storage().capacity())
    body_storage() = std::move(body);
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (engine::equal_without_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

}  // namespace keyward::web
