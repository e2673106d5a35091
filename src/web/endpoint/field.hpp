// Field: a member of a PATCH body, which tells "left out" from "set to null".
#pragma once

#include <optional>
#include <utility>

namespace keyward::web {

/// `Field<std::string> full_name;` in a body: absent (leave it alone), null (clear it), or a value (set it).
template <class T>
class Field {
 public:
  Field() = default;
  static Field of(T value) {
    Field field;
    field.emplace() = std::move(value);
    return field;
  }

  [[nodiscard]] bool absent() const { return !present_; }
  [[nodiscard]] bool is_null() const { return present_ && !value_; }
  [[nodiscard]] bool has_value() const { return value_.has_value(); }
  [[nodiscard]] const T& operator*() const { return *value_; }
  [[nodiscard]] T& operator*() { return *value_; }
  [[nodiscard]] const T* operator->() const { return &*value_; }
  /// Nothing for null; not to be asked of an absent field.
  [[nodiscard]] const std::optional<T>& as_optional() const { return value_; }

  T& emplace() {
    present_ = true;
    return value_.emplace();
  }
  void set_null() {
    present_ = true;
    value_.reset();
  }

 private:
  bool present_ = false;
  std::optional<T> value_;
};

}  // namespace keyward::web
