#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "web/tls/openssl_handles.hpp"
#include "web/tls/tls_certificate.hpp"

namespace keyward::web {

namespace {

std::unexpected<Error> broken(std::string_view what) {
  return fail(ErrorCode::internal, fmt::format("Cannot make a development certificate: {}", what),
              last_tls_error());
}

bool add_extension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool fill(X509* certificate, EVP_PKEY* key, Time now) {
  constexpr int version_3 = 2;
  std::array<unsigned char, 16> serial{};
  if (RAND_bytes(serial.data(), serial.size()) != 1) return false;
  serial.front() &= 0x7fU;  // positive
  auto* const number = BN_bin2bn(serial.data(), serial.size(), nullptr);
  const bool numbered =
      number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  const auto begin_s = to_unix_s(now) - 3600;
  const auto end_s = to_unix_s(now + limits::development_certificate_lifetime);
  auto* const name = X509_get_subject_name(certificate);
  const auto* const common_name = reinterpret_cast<const unsigned char*>("Keyward development");
  return numbered && X509_set_version(certificate, version_3) == 1 &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), begin_s) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), end_s) != nullptr &&
         X509_set_pubkey(certificate, key) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common_name, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

/// A new file that only its owner reads; it takes the old one's place when it is whole.
template <class Write>
Result<void> write_file(const std::filesystem::path& file, Write write) {
  const auto fresh = file.string() + ".new";
  std::error_code ignored;
  std::filesystem::remove(fresh, ignored);
  const int descriptor = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return broken("cannot write " + fresh);
  const BioPtr out{BIO_new_fd(descriptor, BIO_CLOSE)};
  if (out == nullptr) close(descriptor);
  if (out == nullptr || !write(out.get())) return broken("cannot write " + fresh);
  std::error_code failed;
  std::filesystem::rename(fresh, file, failed);
  if (failed) return broken("cannot write " + file.string());
  return {};
}

}  // namespace

Result<void> make_development_certificate(const TlsFiles& files, Time now) {
  const auto tomorrow = now + std::chrono::hours{24};
  if (TlsCertificate::load(files, tomorrow)) return {};
  ERR_clear_error();
  const PkeyPtr key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  const X509Ptr certificate{X509_new()};
  if (key == nullptr || certificate == nullptr || !fill(certificate.get(), key.get(), now))
    return broken("OpenSSL does not");
  auto written = write_file(files.key, [&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  });
  if (!written) return written;
  return write_file(files.certificate,
                    [&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()) == 1; });
}

}  // namespace keyward::web
