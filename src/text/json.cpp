#include "text/json.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "text/unicode.hpp"

namespace keyward::text {

namespace {

using boost::system::error_code;

/// Builds the value while the parser reads, and refuses what json::value would quietly merge or round: a
/// second member of the same name, and a number that no double holds.
class Builder {
 public:
  // The text's size bounds all of these.
  static constexpr auto max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr auto max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr auto max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr auto max_string_size = std::numeric_limits<std::size_t>::max();

  explicit Builder(const json::storage_ptr& storage) : values_(storage) { values_.reset(storage); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t size, error_code&) { return values_.push_array(size), true; }
  bool on_object_begin(error_code&) { return objects_.push_back(names_.size()), true; }
  bool on_object_end(std::size_t size, error_code& error) {
    const auto first = names_.begin() + static_cast<std::ptrdiff_t>(objects_.back());
    // Sorted rather than hashed: no choice of names makes this slow.
    std::sort(first, names_.end());
    const auto twice = std::adjacent_find(first, names_.end());
    if (twice != names_.end()) return refuse("The member " + quoted(*twice) + " is given twice", error);
    names_.erase(first, names_.end());
    objects_.pop_back();
    values_.push_object(size);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    name_.append(part.data(), part.size());
    values_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code&) {
    name_.append(part.data(), part.size());
    names_.push_back(std::exchange(name_, {}));
    values_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    return values_.push_chars(part), true;
  }
  bool on_string(json::string_view part, std::size_t, error_code&) { return values_.push_string(part), true; }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, error_code&) {
    return values_.push_int64(number), true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, error_code&) {
    return values_.push_uint64(number), true;
  }
  bool on_double(double number, json::string_view, error_code& error) {
    if (!std::isfinite(number)) return refuse("A number is out of range", error);
    values_.push_double(number);
    return true;
  }
  bool on_bool(bool value, error_code&) { return values_.push_bool(value), true; }
  bool on_null(error_code&) { return values_.push_null(), true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

  json::value release() { return values_.release(); }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  static constexpr std::size_t quoted_max_bytes = 64;

  static std::string quoted(const std::string& name) {
    return name.size() <= quoted_max_bytes ? '"' + to_one_line(name) + '"' : std::string{"with a long name"};
  }
  bool refuse(std::string why, error_code& error) {
    refusal_ = std::move(why);
    error = make_error_code(json::error::syntax);
    return false;
  }

  json::value_stack values_;
  std::string name_;                  // of the member being read
  std::vector<std::string> names_;    // of all members read so far in the objects that are open
  std::vector<std::size_t> objects_;  // where the names of each open object begin
  std::string refusal_;
};

std::string sentence(const error_code& error, std::size_t position) {
  const auto where = " at byte " + std::to_string(position);
  if (error == json::error::too_deep) return "The JSON is nested too deeply";
  if (error == json::error::incomplete) return "The JSON is incomplete";
  if (error == json::error::extra_data) return "There is something after the JSON" + where;
  return "The JSON is malformed" + where;
}

}  // namespace

Result<json::value> parse_json(std::string_view text, const JsonLimits& limits, json::storage_ptr storage) {
  if (text.size() > limits.max_bytes) return fail(ErrorCode::payload_too_large, "The JSON is too large");

  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<Builder> parser(options, std::move(storage));
  error_code error;
  const auto read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = make_error_code(json::error::extra_data);
  if (error) {
    const auto& refusal = parser.handler().refusal();
    return fail(ErrorCode::bad_request, refusal.empty() ? sentence(error, read) : refusal, error.message());
  }
  return parser.handler().release();
}

}  // namespace keyward::text
