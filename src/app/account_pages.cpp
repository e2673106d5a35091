#include "app/account_pages.hpp"

namespace keyward::app {

Result<features::Pages> load_pages(const Config& config) {
  return features::Pages::load({.service_name = config.mail.service_name,
                                .locale = config.mail.locale,
                                .password_min_code_points = config.passwords.min_length});
}

}  // namespace keyward::app
