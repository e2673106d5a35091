#include "protocol/jose/refusal.hpp"

namespace keyward::protocol::jose {

std::string_view to_word(Reason reason) {
  switch (reason) {
    case Reason::malformed:
      return "malformed";
    case Reason::critical_header:
      return "critical_header";
    case Reason::algorithm_mismatch:
      return "algorithm_mismatch";
    case Reason::unknown_key:
      return "unknown_key";
    case Reason::bad_signature:
      return "bad_signature";
    case Reason::wrong_type:
      return "wrong_type";
    case Reason::missing_claim:
      return "missing_claim";
    case Reason::invalid_claim:
      return "invalid_claim";
    case Reason::expired:
      return "expired";
    case Reason::not_yet_valid:
      return "not_yet_valid";
    case Reason::issuer_mismatch:
      return "issuer_mismatch";
    case Reason::audience_mismatch:
      return "audience_mismatch";
  }
  return {};
}

}  // namespace keyward::protocol::jose
