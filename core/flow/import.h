// Imports the properties of one request body into a source: all of it or nothing.
//
// The body is canonicalised and hashed while it arrives. Identities and hashes ask the store what
// is new or differs; data of those items alone is sent. A small import is one batch, which begins
// with a guard on the source's revision (import_at_once.cc). A larger one is staged part by part,
// so that memory stays bounded, and the last batch applies what was staged (import_staged.cc).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/flow/configure.h"
#include "core/sync/config.h"
#include "core/sync/import_set.h"

namespace sm::flow {

struct ImportOrder {
  TenantId tenant;
  ConnectorRow source;
  // What the import was that left the source as it was read: the same again changes nothing.
  std::string last_digest = {};
  sync::ImportMode mode = sync::ImportMode::upsert;
  // Removes whatever the share, and although an item has no identity.
  bool force = false;
  bool lines = false;                            // the body is NDJSON
  std::optional<uint64_t> announced_bytes = {};  // Content-Length
  bool arrived = true;                           // all of the body is there, and small
};

struct ImportOutcome {
  int64_t total = 0;
  int64_t created = 0;
  int64_t updated = 0;
  int64_t skipped = 0;
  int64_t failed = 0;
  int64_t removed = 0;
  std::map<size_t, sync::ImportError> errors = {};  // the first by index

  std::string_view status() const {
    return failed == 0 ? "success" : failed == total ? "failed" : "partial";
  }
  std::string stats() const;  // a JSON object
  // Why items failed, for the log.
  std::optional<std::string> error_message() const;
};

// The source of an import, as it is before a body is read. Errors: not_found; those of the store.
Task<Result<ImportOrder>> order_import(Invocation& in, TenantId tenant, SourceId source);

// An import of which every item failed does nothing but leave its log row.
//
// Errors: malformed, invalid (the body's shape), too_large, cut_off; conflict, where a full import
// would remove too much, or what identifies its items was changed meanwhile and they are not at
// hand any more; guard, where the source was changed again and again; and those of the store.
Task<Result<ImportOutcome>> import_body(Invocation& in, ImportOrder order);

}  // namespace sm::flow
