// Certificates made on the spot, for servers of tests.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "base/free_with.hpp"

namespace keyward::outbound::testing {

struct Certificate {
  std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>> key;
  std::unique_ptr<X509, FreeWith<X509_free>> x509;

  [[nodiscard]] std::string pem() const {
    const std::unique_ptr<BIO, FreeWith<BIO_free_all>> out{BIO_new(BIO_s_mem())};
    char* text = nullptr;
    if (PEM_write_bio_X509(out.get(), x509.get()) != 1) throw std::runtime_error("PEM");
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }
};

namespace detail {

inline void add_extension(X509* x509, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(x509, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  if (!added) throw std::runtime_error("extension");
}

inline Certificate make(const std::string& common_name, const Certificate* issuer, long begin_s, long end_s,
                        const std::string& constraints, const std::string& names) {
  static long serial = 1;
  constexpr int version_3 = 2;
  Certificate made{.key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")}, .x509{X509_new()}};
  auto* const x509 = made.x509.get();
  auto* const name = X509_get_subject_name(x509);
  const auto* const text = reinterpret_cast<const unsigned char*>(common_name.c_str());
  const bool filled =
      X509_set_version(x509, version_3) == 1 &&
      ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(x509), begin_s) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(x509), end_s) != nullptr &&
      X509_set_pubkey(x509, made.key.get()) == 1 &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
      X509_set_issuer_name(x509, issuer != nullptr ? X509_get_subject_name(issuer->x509.get()) : name) == 1;
  if (!filled) throw std::runtime_error("certificate");
  add_extension(x509, NID_basic_constraints, constraints);
  if (!names.empty()) add_extension(x509, NID_subject_alt_name, names);
  if (X509_sign(x509, issuer != nullptr ? issuer->key.get() : made.key.get(), EVP_sha256()) <= 0)
    throw std::runtime_error("signature");
  return made;
}

inline constexpr long day_s = 24 * 3600;

}  // namespace detail

inline Certificate make_authority(const std::string& name = "Test authority") {
  return detail::make(name, nullptr, -detail::day_s, detail::day_s, "critical,CA:TRUE", "");
}

/// `names`: `DNS:login.example.test,IP:127.0.0.1`.
inline Certificate issue(const Certificate& authority, const std::string& names) {
  return detail::make("server", &authority, -detail::day_s, detail::day_s, "critical,CA:FALSE", names);
}

inline Certificate issue_expired(const Certificate& authority, const std::string& names) {
  return detail::make("server", &authority, -2 * detail::day_s, -detail::day_s, "critical,CA:FALSE", names);
}

inline Certificate self_sign(const std::string& names) {
  return detail::make("server", nullptr, -detail::day_s, detail::day_s, "critical,CA:FALSE", names);
}

}  // namespace keyward::outbound::testing
