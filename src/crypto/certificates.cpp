#include "crypto/certificates.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <limits>

#include "crypto/openssl.hpp"

namespace keyward::crypto {

std::size_t count_certificates(std::string_view pem) {
  if (pem.empty() || pem.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return 0;
  const OpensslErrorMark mark;  // the end of the text is an error, too
  const std::unique_ptr<BIO, FreeWith<&BIO_free_all>> source{
      require_object(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), "BIO_new_mem_buf")};
  std::size_t count = 0;
  while (const std::unique_ptr<X509, FreeWith<&X509_free>> certificate{
      PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)})
    ++count;
  return count;
}

}  // namespace keyward::crypto
