#include "crypto/certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

namespace keyward::crypto {
namespace {

const std::string one = R"(-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUDRtdH7jDgNWTQ/zgceMPVFkJrTEwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjUxMzMyMzdaGA8yMTI2MTEwMTEzMzIz
N1owDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGrt
jdDSibqJSkhtNbH0C0p+x3xH8jOBm8ChawJRL74tzQxKKhcVFrqYHgKc72gzXnXF
T4nbxSa55wfagnfYTdKjUzBRMB0GA1UdDgQWBBR5JT4ytmGkLr2VuoUB60lWtPyw
kDAfBgNVHSMEGDAWgBR5JT4ytmGkLr2VuoUB60lWtPywkDAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIQDH+iqHAfc0p9sS9jryP1VwD1MmoQ3MFj4X
RSCamkqHIgIgaaAFKKhnXID/KgItKt4S5WZNjNXUTbwJgKYpjVLpCo0=
-----END CERTIFICATE-----
)";

TEST(Certificates, those_that_can_be_read_are_counted) {
  EXPECT_EQ(count_certificates(one), 1U);
  EXPECT_EQ(count_certificates("# ours\n" + one + "\n" + one), 2U);
  EXPECT_EQ(count_certificates(""), 0U);
  EXPECT_EQ(count_certificates("nothing"), 0U);
  EXPECT_EQ(count_certificates(one.substr(0, 200)), 0U);
  EXPECT_EQ(count_certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0U);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace keyward::crypto
