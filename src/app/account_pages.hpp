// AccountPages: the handlers of the pages behind the links in mails, and what they share.
#pragma once

#include <memory>

#include "app/config/config.hpp"
#include "features/email_change/change_pages.hpp"
#include "features/email_verification/verification_pages.hpp"
#include "features/pages.hpp"
#include "features/pages/common_pages.hpp"
#include "features/password_reset/reset_pages.hpp"

namespace keyward::app {

Result<features::Pages> load_pages(const Config& config);

struct AccountPages {
  struct Operations {
    features::PasswordReset& password_reset;
    features::EmailVerification& email_verification;
    features::EmailChange& email_change;
  };
  AccountPages(features::Pages loaded, Operations operations)
      : pages(std::move(loaded)),
        reset{pages, operations.password_reset},
        verification{pages, operations.email_verification},
        change{pages, operations.email_change},
        common{pages} {}
  AccountPages(const AccountPages&) = delete;
  AccountPages& operator=(const AccountPages&) = delete;
  ~AccountPages() = default;

  features::Pages pages;
  features::ResetPages reset;
  features::VerificationPages verification;
  features::ChangePages change;
  features::CommonPages common;
};

}  // namespace keyward::app
