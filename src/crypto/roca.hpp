// RSA keys of a chip library that drew its primes from too small a set (CVE-2017-15361): they can be
// factored.
#pragma once

#include "base/bytes.hpp"

namespace keyward::crypto {

/// True when the modulus (big-endian) has the mark of those keys: modulo each small prime it is a power of
/// 65537. By chance that happens to fewer than one sound key in 2^27.
bool has_roca_mark(BytesView modulus);

}  // namespace keyward::crypto
