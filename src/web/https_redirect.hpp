// HttpsRedirect: what the port in clear answers when the server itself speaks HTTPS.
//
// GET and HEAD are sent on (308) to the same path at the public URL. Everything else is refused: whoever
// posts a password in clear must notice, and not be served all the same. The target is the configured origin,
// whatever Host says (R4).
#pragma once

#include <string>

#include "web/engine/server.hpp"

namespace keyward::web {

class HttpsRedirect final : public Handler {
 public:
  /// `origin`: https://HOST[:PORT].
  explicit HttpsRedirect(std::string origin) : origin_(std::move(origin)) {}

  Task<Response> handle(Request& request) override;
  Response refuse(unsigned status, std::string_view sentence, const std::string& request_id) override;

 private:
  std::string origin_;
};

}  // namespace keyward::web
