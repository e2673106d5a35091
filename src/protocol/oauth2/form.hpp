// Forms and queries: application/x-www-form-urlencoded as the WHATWG URL Standard §5.2 writes it, which is
// also RFC 6749 appendix B.
//
// Threat: a value that ends its parameter and begins another (answer: all but letters, digits and `*-._` is
// escaped).
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace keyward::protocol::oauth2 {

using FormPair = std::pair<std::string_view, std::string_view>;

/// One name or value. Nothing but the result holds it: the result is made in one block.
std::string to_form(std::string_view text);
/// `a=b&c=d`. Made in one block too, since client secrets go through here.
std::string to_form(std::span<const FormPair> pairs);
inline std::string to_form(std::initializer_list<FormPair> pairs) {
  return to_form(std::span{pairs.begin(), pairs.size()});
}

/// The URL with the pairs behind its query, before its fragment; what it has stays as it is.
std::string with_query(std::string_view url, std::span<const FormPair> pairs);
inline std::string with_query(std::string_view url, std::initializer_list<FormPair> pairs) {
  return with_query(url, std::span{pairs.begin(), pairs.size()});
}

}  // namespace keyward::protocol::oauth2
