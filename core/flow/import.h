// Imports the properties of one request body into a source: all of it or nothing.
//
// The body is canonicalised and hashed while it arrives. Identities and hashes ask the store what
// is new or differs; data of those items alone is written, by one batch that begins with a guard on
// the source's revision. Data beyond one part (limits.h) is sent ahead into ids that nothing points
// to before the last batch, so that memory stays bounded.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/http/request.h"
#include "core/json/pointer.h"
#include "core/sync/import_set.h"

namespace sm::flow {

struct ImportOrder {
  TenantId tenant;
  SourceId source;
  int64_t source_revision;  // at which id_field was read
  std::optional<json::PointerTokens> id_field;
  std::optional<uint64_t> announced_bytes;  // Content-Length
};

struct ImportOutcome {
  size_t total = 0;
  size_t created = 0;
  size_t updated = 0;
  size_t skipped = 0;
  size_t failed = 0;
  std::map<size_t, sync::ImportError> errors;  // the first by index

  std::string_view status() const {
    return failed == 0 ? "success" : failed == total ? "failed" : "partial";
  }
  std::string stats() const;  // a JSON object
};

// Errors: malformed, invalid (the body's shape), too_large, cut_off, guard (the source was changed
// meanwhile: after several attempts, or at once where data was sent ahead), and those of the store.
Task<Result<ImportOutcome>> import_body(Invocation& in, ImportOrder order);

}  // namespace sm::flow
