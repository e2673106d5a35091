// EmlFiles: the transport for a laptop: each mail becomes a file that any mail program opens.
//
// Used when no SMTP server is configured. The files hold links that work, so they are for their owner alone
// (0600, in a folder with 0700), and go when their mail has expired. A file has its name only when it is
// whole, and the name is the mail's own: a mail that is written again after a crash is the same file.
// Threats: a folder that somebody else made first, or a link in its place (it must be a folder, ours and
// closed to others, and everything is done in the one that was looked at).
#pragma once

#include <filesystem>
#include <functional>

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

/// Deletes the files of the mails for which `is_over` returns true, and returns how many. Other files stay.
std::size_t blocking_delete_eml_files(const std::filesystem::path& folder,
                                      const std::function<bool(const Uuid&)>& is_over);

}  // namespace keyward::mail
