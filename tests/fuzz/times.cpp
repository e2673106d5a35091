// Times, ids and positions in texts (base/clock, base/uuid, domain/audit): of queries, JSON and page tokens.
//
// Must hold: what is read prints back in its one spelling, and that is read as the same.
#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "crypto/master_key.hpp"
#include "domain/audit/audit_reader.hpp"
#include "domain/roles/rules.hpp"
#include "fuzz.hpp"

namespace keyward::fuzz {

KEYWARD_FUZZ_TARGET(times) {
  const std::string_view text = as_text(input);
  if (const auto time = parse_rfc3339(text)) {
    const std::string written = to_rfc3339(*time);
    const auto again = parse_rfc3339(written);
    must_hold(again && to_rfc3339(*again) == written,
              "a time that was written is read and written as the same");
    // An offset can lead out of the years that have four digits; such a time is written as the nearest of
    // those.
    const auto year = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(*time)}.year();
    if (year >= std::chrono::year{0} && year <= std::chrono::year{9999}) {
      must_hold(again == time, "a time prints back as itself");
    }
  }
  if (const auto id = Uuid::parse(text)) {
    const std::string written = id->to_string();
    must_hold(Uuid::parse(written) == id, "an id prints back as itself");
    must_hold(written.size() == text.size(), "in 36 characters");
  }
  if (const auto position = domain::AuditPosition::parse(text)) {
    const auto again = domain::AuditPosition::parse(position->to_string());
    must_hold(again && again->occurred_at == position->occurred_at && again->chain == position->chain &&
                  again->sequence == position->sequence,
              "a position prints back as itself");
  }
  if (const auto key = crypto::MasterKey::parse(Secret{text})) {
    const auto again = crypto::MasterKey::parse(key->to_text());
    must_hold(again && again->derive("test").text() == key->derive("test").text(), "so does a master key");
  } else {
    must_hold(is_sentence(key.error().message), "a refusal is a sentence");
  }
  if (domain::is_role_name(text)) {
    must_hold(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos,
              "a role's name is plain");
  }
}

}  // namespace keyward::fuzz
