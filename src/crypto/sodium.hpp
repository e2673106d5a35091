// The one door to libsodium. For the .cpp files of crypto/ only.
#pragma once

#include <sodium.h>

namespace keyward::crypto {

/// Sets libsodium up, once; every call into it comes after this one. Throws std::runtime_error when it cannot
/// be.
void prepare_sodium();

}  // namespace keyward::crypto
