// Forms as bodies (web/endpoint): application/x-www-form-urlencoded into described structs.
//
// Must hold: a form and the JSON that says the same give the same struct; refusals name fields in UTF-8; a
// form cannot say what is nested.
#include "protocol/oauth2/form.hpp"
#include "bodies.hpp"
#include "described.hpp"

namespace keyward::fuzz {
namespace {

constexpr std::string_view media_type = "application/x-www-form-urlencoded";

std::string to_text(const Flat& flat) { return web::to_json(flat); }

std::string to_form(const Flat& flat) {
  std::string form = "name=" + protocol::oauth2::to_form(flat.name);
  if (flat.flag) form += *flat.flag ? "&flag=true" : "&flag=false";
  if (flat.number) form += "&number=" + std::to_string(*flat.number);
  if (flat.at) form += "&at=" + protocol::oauth2::to_form(to_rfc3339(*flat.at));
  if (flat.color) form += *flat.color == Color::red ? "&color=red" : "&color=green";
  return form;
}

}  // namespace

KEYWARD_FUZZ_TARGET(form) {
  const std::string_view body = as_text(input);
  (void)read<Everything>(body, media_type, web::Unknown::refused);
  (void)read<Login>(body, media_type, web::Unknown::ignored);
  (void)read<Flat>(body, as_text(input.first(std::min<std::size_t>(input.size(), 64))),
                   web::Unknown::ignored);
  auto flat = read<Flat>(body, media_type, web::Unknown::ignored);
  if (!flat) return;
  // A number that is no integer has many spellings, and Boost.JSON 1.81 reads some an ulp beside the nearest.
  flat->ratio.reset();
  const auto of_json = read<Flat>(to_text(*flat), "application/json", web::Unknown::refused);
  must_hold(of_json && to_text(*of_json) == to_text(*flat),
            "the JSON that says the same is read as the same");
  const auto of_form = read<Flat>(to_form(*flat), media_type, web::Unknown::refused);
  must_hold(of_form && to_text(*of_form) == to_text(*flat), "a form that was written is read as the same");
}

}  // namespace keyward::fuzz
