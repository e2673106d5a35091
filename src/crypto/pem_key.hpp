// PEM (RFC 7468) to the one form that keys are read from. For signing_key.cpp only.
#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

namespace keyward::crypto {

/// The PKCS#8 in DER of the one private key in the text. Error `invalid_input`: another kind of block, or
/// nothing, or several; an encrypted key.
Result<Secret> pkcs8_of_pem(const Secret& pem);

}  // namespace keyward::crypto
