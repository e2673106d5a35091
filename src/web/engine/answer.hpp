// AnswerWriter: turns a Response into the head of an HTTP/1.1 answer (RFC 9112 §4, RFC 9110 §6.6.1, §8.6).
//
// S8: every answer, errors included, has the security headers below; a handler's header of the same name
// replaces one. H3: no answer names the server or its version. Threat: header injection, so a name that is
// not a token and a value with a control character are refused, and the framing headers belong to the engine
// alone.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "web/message.hpp"

namespace keyward::web::engine {

struct AnswerFacts {
  bool is_head = false;  // an answer to HEAD: the length of the body, but not the body
  bool is_http_1_0 = false;
  bool close = false;
  std::string_view request_id;
};

class AnswerWriter {
 public:
  explicit AnswerWriter(bool strict_transport_security);

  /// False when a header may not be sent; such an answer is a defect of the handler and becomes a 500.
  [[nodiscard]] static bool is_sendable(const Response& response);
  /// Whether the answer carries its content after the head.
  [[nodiscard]] static bool has_content(const Response& response, const AnswerFacts& facts);
  /// Appends the head with its empty line.
  void append_head(std::string& output, const Response& response, const AnswerFacts& facts);

 private:
  void refresh_date();
  void append_security_headers(std::string& output, const Response& response) const;

  bool strict_transport_security_;
  std::string security_block_;  // all default headers as one text, for the answer that replaces none
  std::string date_line_;
  std::time_t date_s_ = 0;
};

}  // namespace keyward::web::engine
