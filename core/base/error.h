// What can go wrong outside our own code, as one value: a code from the table in error.cc, which
// alone knows the HTTP status and title of each, a detail for the person who reads it, and the
// fields at fault.
//
// The codes from `unavailable` on are answers of a store: a flow handles `guard`, `unique` and
// `unknown_outcome` where it can; what reaches the client is a problem document like any other
// (http/problem.h).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sm {

enum class ErrorCode {
  malformed,            // the bytes are no JSON text
  unauthorized,         // no valid key
  not_administrator,    // not the administrator's token
  forbidden,            // the key is good, but does not allow this
  not_found,            // no such path, or no such row of this tenant
  method_not_allowed,   // known path, wrong method
  precondition_failed,  // If-Match names another state
  conflict,             // the state does not allow it
  too_large,            // the body passes its limit
  unsupported_media,    // content type or encoding
  invalid,              // JSON or query of the wrong shape
  rate_limited,         // too much in too short a time; `spent` says of what
  quota_exceeded,       // the tenant would have more than it may; `spent` says of what
  not_configured,       // this deployment lacks a setting
  internal,             // a bug of ours
  unavailable,          // the store did not answer; nothing was committed
  overloaded,           // the store or the memory is exhausted for now
  unknown_outcome,      // a batch may have been committed
  guard,                // a guard refused a batch; `detail` is the guard's column
  unique,               // a uniqueness rule refused a batch; `detail` is table.column
  refused,              // the store refused a statement: a bug of ours
  cut_off,              // the body ended before its announced length
  cancelled,            // the client left
};

struct ErrorInfo {
  int status;
  std::string_view type;  // last part of the problem's type
  std::string_view title;
};

const ErrorInfo& error_info(ErrorCode code);

// Where a field at fault stands: a JSON Pointer into the body, or the name of a query parameter.
struct FieldError {
  enum class In { body, query };
  In in;
  std::string where;
  std::string detail;
};

// The fields at fault of one request: the first kMaxFieldErrors, and how many there are. A body may
// have half a million members that are none, so the others are counted and not kept.
class FieldErrors {
 public:
  FieldErrors() = default;
  FieldErrors(std::initializer_list<FieldError> first) {
    for (const FieldError& field : first) add(field);
  }

  void add(FieldError field);
  void add(FieldErrors others);

  bool empty() const { return count_ == 0; }
  // How many there are, and those that are kept.
  size_t count() const { return count_; }
  const std::vector<FieldError>& kept() const { return kept_; }

 private:
  std::vector<FieldError> kept_;
  size_t count_ = 0;
};

// An allowance that is used up. Of a rate: how long a window is in which it counts, and when there
// is more.
struct Spent {
  std::string name;
  int64_t limit = 0;
  int64_t used = 0;
  int64_t window_s = 0;
  int64_t wait_s = 0;
};

struct Error {
  ErrorCode code;
  std::string detail;
  FieldErrors fields = {};
  std::optional<Spent> spent = {};
};

// The usual refusals, so that their texts are the same everywhere.
Error not_found();
Error precondition_failed();
Error invalid_body(FieldErrors fields);
Error invalid_field(std::string pointer, std::string detail);
Error invalid_parameter(std::string name, std::string detail);

}  // namespace sm
