// EmlFiles: the transport for a laptop: each mail becomes a file that any mail program opens.
//
// Used when no SMTP server is configured. The files hold links that work, so they are for their owner alone
// (0600, in a folder with 0700). A file has its name only when it is whole, and the name is the mail's own: a
// mail that is written again after a crash is the same file.
#pragma once

#include <filesystem>

#include "mail/transport.hpp"

namespace keyward::mail {

class EmlFiles final : public Transport {
 public:
  explicit EmlFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  /// `FOLDER/ID-KIND.eml`; ids sort by time.
  Delivery blocking_deliver(const OutgoingMessage& message, const MayGoOn& may_go_on) override;

 private:
  std::filesystem::path folder_;
};

}  // namespace keyward::mail
