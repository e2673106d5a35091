#include "outbound/request.hpp"

namespace keyward::outbound {

std::string_view to_word(Refusal refusal) {
  using enum Refusal;
  switch (refusal) {
    case bad_url:
      return "bad_url";
    case clear_text:
      return "clear_text";
    case not_resolved:
      return "not_resolved";
    case address_not_allowed:
      return "address_not_allowed";
    case not_connected:
      return "not_connected";
    case tls_failed:
      return "tls_failed";
    case timed_out:
      return "timed_out";
    case too_large:
      return "too_large";
    case redirected:
      return "redirected";
    case wrong_content_type:
      return "wrong_content_type";
    case malformed:
      return "malformed";
    case busy:
      return "busy";
  }
  return "other";
}

}  // namespace keyward::outbound
