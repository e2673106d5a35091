// Transport: what takes a composed mail off our hands.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/uuid.hpp"

namespace keyward::mail {

struct OutgoingMessage {
  Uuid id;
  std::string kind;
  std::string sender;     // of the envelope
  std::string recipient;  // of the envelope
  std::string bytes;      // the message, with CRLF
};

struct Delivery {
  enum class Verdict : std::uint8_t {
    delivered,
    refused,    // by this recipient or for this content: the same attempt would end the same
    try_again,  // everything else
    unsure,     // the whole mail was handed over and no answer came: it may have been delivered
  };
  Verdict verdict = Verdict::try_again;
  std::string reason;  // for the operator; of what the other side said, cut and without controls
};

/// Asked about once a second while a mail is under way; false: the attempt is to end at once.
using MayGoOn = std::function<bool()>;

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// From several threads at once. Returns soon (with try_again) when it may not go on.
  virtual Delivery blocking_deliver(const OutgoingMessage& message, const MayGoOn& may_go_on) = 0;
  /// Nothing is to be sent for now: closes what is kept open between two mails.
  virtual void rest() {}
};

}  // namespace keyward::mail
