#include "web/openapi/documentation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "embedded/docs.hpp"
#include "web/problem.hpp"

namespace keyward::web::openapi {

namespace {

constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::string_view take_until(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto taken = trim(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

/// RFC 9110 §12.5.3: no header takes every coding; `gzip;q=0` and a list without it do not.
bool takes_gzip(const Request& request) {
  const auto header = request.header("Accept-Encoding");
  if (!header) return true;
  std::optional<bool> any;
  for (auto rest = *header; !rest.empty();) {
    auto item = take_until(rest, ',');
    const auto coding = take_until(item, ';');
    const bool refused = item.find_first_of("123456789") == std::string_view::npos && item.starts_with("q=0");
    if (coding == "gzip" || coding == "x-gzip") return !refused;
    if (coding == "*") any = !refused;
  }
  return any.value_or(false);
}

bool has_entity(const Request& request, std::string_view entity_tag) {
  auto known = request.header("If-None-Match").value_or("");
  while (!known.empty()) {
    auto one = take_until(known, ',');
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == entity_tag || one == "*") return true;
  }
  return false;
}

Response not_modified(std::string entity_tag) {
  return {.status = 304,
          .content_type = {},
          .headers = {{"ETag", std::move(entity_tag)}, {"Cache-Control", "no-cache"}}};
}

std::string_view media_type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return "text/plain; charset=utf-8";
}

Result<Response> embedded_file(std::string_view name, const Request& request) {
  const auto files = embedded::docs();
  const auto file = std::ranges::find(files, name, &embedded::File::name);
  if (file == files.end()) return fail(ErrorCode::not_found, "There is nothing here");
  const bool compressed = !name.ends_with(".html");
  if (compressed && !takes_gzip(request))
    return to_problem(406, "This file is kept compressed with gzip", request.id);
  auto entity_tag = fmt::format("\"{}\"", file->sha256_hex.substr(0, 32));
  if (has_entity(request, entity_tag)) return not_modified(std::move(entity_tag));
  Response response{.content_type = media_type_of(name),
                    .headers = {{"ETag", std::move(entity_tag)},
                                {"Cache-Control", "no-cache"},
                                {"Content-Security-Policy", std::string{page_policy}}},
                    .constant_body = file->bytes};
  if (compressed) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.headers.emplace_back("Vary", "Accept-Encoding");
  }
  return response;
}

/// FNV-1a: tells one version of the document from the next, and nothing more is asked of it.
std::string entity_tag_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format("\"{:016x}\"", hash);
}

}  // namespace

void Documentation::add_routes(Router& router) {
  router.get("/openapi.json", *this, &Documentation::document)
      .summary("This description, as OpenAPI 3.1")
      .tag("Documentation")
      .read_by(Readers::every_origin)
      .answers(200, "application/json");
  router.get("/docs", *this, &Documentation::page)
      .summary("This description, to read and to try")
      .tag("Documentation")
      .read_by(Readers::no_other_origin)
      .answers(200, "text/html");
  router.get("/docs/{file}", *this, &Documentation::file)
      .summary("What the viewer is made of")
      .tag("Documentation")
      .read_by(Readers::no_other_origin)
      .answers(200, "*/*");
}

void Documentation::generate(const Info& info, const Router& router) {
  document_ = make_document(info, router.routes());
  entity_tag_ = entity_tag_of(document_);
}

Result<Response> Documentation::document(Public, RawRequest request) const {
  if (has_entity(*request, entity_tag_)) return not_modified(entity_tag_);
  return Response{.headers = {{"ETag", entity_tag_}, {"Cache-Control", "no-cache"}},
                  .constant_body = document_};
}

Result<Response> Documentation::page(Public, RawRequest request) const {
  return embedded_file("index.html", *request);
}

Result<Response> Documentation::file(Public, Path<"file", std::string> name, RawRequest request) const {
  return embedded_file(*name, *request);
}

}  // namespace keyward::web::openapi
