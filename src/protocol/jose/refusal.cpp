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
    case Reason::too_large:
      return "too_large";
    case Reason::azp_mismatch:
      return "azp_mismatch";
    case Reason::nonce_mismatch:
      return "nonce_mismatch";
    case Reason::issued_too_long_ago:
      return "issued_too_long_ago";
    case Reason::at_hash_mismatch:
      return "at_hash_mismatch";
    case Reason::subject_mismatch:
      return "subject_mismatch";
    case Reason::tenant_mismatch:
      return "tenant_mismatch";
    case Reason::provider_error:
      return "provider_error";
    case Reason::token_refused:
      return "token_refused";
    case Reason::callback_issuer_missing:
      return "callback_issuer_missing";
    case Reason::callback_issuer_mismatch:
      return "callback_issuer_mismatch";
    case Reason::endpoint_in_clear:
      return "endpoint_in_clear";
  }
  return {};
}

}  // namespace keyward::protocol::jose
