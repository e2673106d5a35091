// CORS: which other origins' pages may read our answers (Fetch Standard §3.2, RFC 9700 §2.6).
//
// `server.cors_origins` lists them, spelled as a browser spells its Origin header. A listed origin gets
// itself as Access-Control-Allow-Origin; nobody else gets a word. What everybody may know (the key set, the
// API's description) is open to every origin, and pages and /metrics to none. A preflight is answered from
// the route table: it calls no handler, asks for no token and uses up no rate limit.
//
// Threats: any page in the victim's browser reads what the victim may read (S9: an exact match of the whole
// text with a fixed list; `null`, suffixes, other cases, ports and schemes, and two Origin headers match
// nothing) · cookies sent along (credentials are never allowed: a token is a header that the application sets
// itself) · a cache that hands one origin's answer to another (Vary on every answer that depends on Origin,
// also when it was not sent).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "web/message.hpp"

namespace keyward::web {

/// Whose pages may read the answers of a path.
enum class Readers : std::uint8_t { every_origin, listed_origins, no_other_origin };  // ever stricter

class Cors {
 public:
  Cors() = default;
  /// Origins with commas between them; empty: none. Error: invalid_input, with a sentence that names the one
  /// that is wrong and how it is written.
  static Result<Cors> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return origins_.empty(); }
  [[nodiscard]] const std::vector<std::string>& origins() const { return origins_; }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool lists(std::string_view origin) const;

  /// Puts the headers on an answer to `request`.
  void allow_reading(const Request& request, Readers readers, Response& response) const;
  /// Does the same with the answer to OPTIONS; `methods` are those of the path.
  void answer_preflight(const Request& request, Readers readers, std::string_view methods,
                        Response& response) const;

 private:
  /// The listed origin that the request comes from; empty: from none.
  [[nodiscard]] std::string_view listed_origin_of(const Request& request) const;

  std::vector<std::string> origins_;  // sorted
};

}  // namespace keyward::web
