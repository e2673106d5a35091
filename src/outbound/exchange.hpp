// One request and its answer on one connection.
//
// RFC 9112, read by Beast's parser in steps of ours: the head is judged before anything of the body is taken.
// Threats: an answer without an end, or a flood (limits::outbound_head_max_bytes, outbound_answer_max_bytes,
// by its length and while it comes in chunks) · one that comes drop by drop (one deadline for all) · a small
// one that unpacks to a large one (no Content-Encoding is taken) · a redirect to where we may ask and others
// may not (none is followed) · a page where JSON should be (the type is checked, and nothing of it is handed
// on).
#pragma once

#include <string_view>

#include "outbound/connection.hpp"
#include "outbound/request.hpp"

namespace keyward::outbound {

struct Exchanged {
  Fetched<Answer> answer;
  bool reusable = false;         // the connection, for the next request
  bool nothing_written = false;  // it broke before a byte of the request went
  bool unanswered = false;       // it broke before a byte of the answer came
};

/// `bytes`: the request as it goes over the wire. All of them live until it is done.
Task<Exchanged> exchange(Connection* connection, const Request* request, std::string_view bytes,
                         Moment deadline);

}  // namespace keyward::outbound
