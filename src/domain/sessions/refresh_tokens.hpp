// RefreshTokens: the refresh tokens of this issuer, made and read in one place.
//
// `kw_rt_` + base64url(session id, generation, HMAC-SHA-256 of both under a sub-key of the master key).
// Nothing of it is stored: a stolen database holds no usable token (R1, S1), a forged token is told from a
// genuine one before the database is asked, and the token of the current generation can be made again for a
// client whose answer was lost. Threats: a guess (256 bits, compared in constant time, J16) · a token of
// another purpose (the key and the label are of this purpose alone) · a stolen master key (whoever has it and
// knows a session's id can make its tokens, so it may lie outside the data folder: docs/design/refresh.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.hpp"
#include "base/secret.hpp"
#include "base/uuid.hpp"
#include "crypto/master_key.hpp"

namespace keyward::domain {

class RefreshTokens {
 public:
  explicit RefreshTokens(const crypto::MasterKey& master_key) : key_(master_key.derive("refresh tokens 1")) {}

  /// What a genuine token names.
  struct Named {
    Uuid session_id;
    std::int64_t generation = 0;
    bool operator==(const Named&) const = default;
  };

  [[nodiscard]] std::string make(const Named& named) const;
  [[nodiscard]] std::uint64_t made() const { return made_.value(); }
  /// Nothing for anything that make() did not make.
  [[nodiscard]] std::optional<Named> parse(std::string_view text) const;

 private:
  Secret key_;
  mutable Counter made_;
};

}  // namespace keyward::domain
