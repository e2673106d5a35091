// Certificates of others, as far as settings name files of them.
#pragma once

#include <cstddef>
#include <string_view>

namespace keyward::crypto {

/// How many certificates (RFC 7468 §5) can be read from the text, up to the first that cannot.
std::size_t count_certificates(std::string_view pem);

}  // namespace keyward::crypto
