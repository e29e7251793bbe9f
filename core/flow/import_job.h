// What the two ways of an import share. import.cc reads the body and chooses between them.
#pragma once

#include <optional>
#include <string>

#include "core/flow/import.h"
#include "core/flow/log.h"
#include "core/store/rows.h"

namespace sm::flow {

// One import under way; lives in the frame of import_body.
struct ImportJob {
  ImportOrder order;          // with the source's row as it was read last
  sync::SourceConfig config;  // of that row
  sync::ImportSet set;
  Operation operation;
  std::optional<int64_t> staged_id = {};  // of a large import's row in the store

  SourceId source() const { return {order.source.id}; }
  // Whether properties that the body lacks are to be removed.
  bool removes() const {
    return order.mode == sync::ImportMode::full && (order.force || !set.nameless());
  }
};

// What the last batch of an import makes of the source's properties.
struct ImportCounts {
  int64_t fresh = 0;     // that the source does not have
  int64_t changed = 0;   // with another hash, removed before or not
  int64_t revived = 0;   // those of `changed` that were removed before
  int64_t returned = 0;  // removed before, with the same hash
  int64_t removed = 0;

  int64_t live() const { return fresh + revived + returned - removed; }
  int64_t written() const { return fresh + changed + returned + removed; }
};

// The import fits one part, which is open: decides and writes it in one batch.
Task<Result<ImportOutcome>> import_at_once(Invocation& in, ImportJob& job);

// Writes the open part where nothing sees it yet, and forgets it.
Task<Result<Unit>> stage_part(Invocation& in, ImportJob& job);
// Decides on what was staged, and applies it in one batch.
Task<Result<ImportOutcome>> apply_staged(Invocation& in, ImportJob& job);
// Drops what was staged by an import that failed, as far as the store's steps last: what is left
// is the retention's.
Task<Result<Unit>> discard_staged(Invocation& in, ImportJob& job);

// Takes the source's row as it was read now. Errors: not_found; guard (`id_field_changed`), where
// identities are made otherwise since.
Status take_source(ImportJob& job, store::Rows row);

// Errors: conflict, where more live properties would be removed than the source's
// `max_removed_ratio` allows, or, where it has none, more than half of ten and more, or all by an
// empty list.
Status check_removals(const ImportJob& job, int64_t removed);

// What the import answers when its batch is committed, and the row that logs it.
ImportOutcome outcome_of(const ImportJob& job, const ImportCounts& counts);
Statement log_of(const ImportJob& job, const ImportOutcome& outcome, Time now);

}  // namespace sm::flow
