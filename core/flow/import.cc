#include "core/flow/import.h"

#include <cstring>
#include <memory>

#include "core/base/limits.h"
#include "core/flow/body.h"
#include "core/flow/commit.h"
#include "core/flow/import_job.h"
#include "core/flow/log.h"
#include "core/json/item_reader.h"
#include "core/json/line_reader.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

Error shape_error(const std::vector<json::ShapeProblem>& problems) {
  std::vector<FieldError> fields;
  for (const json::ShapeProblem& problem : problems) {
    using Kind = json::ShapeProblem::Kind;
    const char* detail = problem.kind == Kind::not_object ? "must be a JSON object"
                         : problem.kind == Kind::missing  ? "is required"
                         : problem.kind == Kind::not_list ? "must be a list"
                         : problem.kind == Kind::duplicate
                             ? "must be given once"
                             : "is not a member that can be given here";
    fields.push_back({FieldError::In::body, problem.pointer, detail});
  }
  return invalid_body(std::move(fields));
}

Error malformed(size_t offset) {
  return {ErrorCode::malformed,
          "The byte at offset " + std::to_string(offset) + " cannot continue a JSON text."};
}

Error not_lines() {
  return {ErrorCode::malformed,
          "The body opens a list, so it is no NDJSON, which has one item a line. Send "
          "{\"data\":[...]} as application/json."};
}

Error cut_off(sync::ImportMode mode) {
  std::string detail =
      mode == sync::ImportMode::full
          ? "Without a Content-Length, a body with mode=full must end with a newline"
          : "The body has no Content-Length, and its last line is no JSON and has no newline";
  return {ErrorCode::cut_off, detail +
                                  ": it seems to be cut off, so nothing was done. Send it again, "
                                  "best with a Content-Length."};
}

Task<Result<Reply>> perform_one(Invocation& in, Effect effect) {
  std::vector<Effect> effects;
  effects.push_back(std::move(effect));
  std::vector<Reply> replies = co_await in.perform(std::move(effects));
  if (replies[0].error) co_return std::move(*replies[0].error);
  co_return std::move(replies[0]);
}

// How much of the import is taken up before a part is staged: all of it, where it fits one batch.
size_t part_limit(const ImportOrder& order) {
  bool small = order.announced_bytes && *order.announced_bytes <= kImportPartBytes;
  return small ? kImportPartBytes : kStagedPartBytes;
}

// A body whose length was announced is whole where the host says so. Of others a cut of the
// connection may look like the end.
json::LastLine last_line(const ImportOrder& order) {
  if (order.announced_bytes) return json::LastLine::any;
  bool full = order.mode == sync::ImportMode::full;
  return full ? json::LastLine::none : json::LastLine::value;
}

// An item that is too large is still read, for its identity; what is beyond any item's limit is
// skipped unread.
std::unique_ptr<json::ItemStream> reader_of(const ImportOrder& order) {
  if (order.lines) {
    return std::make_unique<json::LineReader>(last_line(order), json::kMaxRawItemBytes);
  }
  return std::make_unique<json::ItemReader>(json::kMaxRawItemBytes);
}

// What an import of a body of this size may take of memory.
uint64_t memory_of(uint64_t body_bytes) {
  if (body_bytes > kLargeBodyBytes) return kLargeImportMemory;
  return body_bytes * kImportMemoryPerByte;
}

// Reads the body to its end. What it leaves open is less than one part, and nothing where a part
// was staged.
Task<Result<Unit>> read_items(Invocation& in, ImportJob& job) {
  std::unique_ptr<json::ItemStream> reader = reader_of(job.order);
  Arena& data = in.arena();
  size_t limit = part_limit(job.order);
  uint64_t read_bytes = 0;
  uint64_t reserved = kUnreservedImportMemory;
  Reply chunk;
  while (true) {
    Arena::Mark before = data.mark();
    json::Event event = reader->next(data);
    if (event.kind == json::Event::Kind::item) {
      job.set.add(event, data, before);
      if (job.set.part_full(limit)) {
        CO_TRY([[maybe_unused]] Unit staged, co_await stage_part(in, job));
      }
      continue;
    }
    if (event.kind == json::Event::Kind::syntax) co_return malformed(event.offset);
    if (event.kind == json::Event::Kind::list) co_return not_lines();
    if (event.kind == json::Event::Kind::cut_off) co_return cut_off(job.order.mode);
    if (event.kind == json::Event::Kind::end) break;
    // Of a body of unknown length, twice what came so far: it is not asked at each part.
    uint64_t expected = job.order.announced_bytes.value_or(2 * read_bytes);
    if (memory_of(job.order.announced_bytes.value_or(read_bytes)) > reserved) {
      reserved = memory_of(expected);
      CO_TRY([[maybe_unused]] Reply memory, co_await perform_one(in, ReserveMemory{reserved}));
    }
    CO_TRY(chunk, co_await perform_one(in, ReadBody{}));
    read_bytes += chunk.bytes.size();
    if (read_bytes > kMaxImportBytes) co_return too_large(kMaxImportBytes);
    if (chunk.bytes.empty()) {
      reader->finish();
    } else {
      reader->feed(chunk.bytes);
    }
  }
  if (!reader->problems().empty()) co_return shape_error(reader->problems());
  if (job.staged_id) {
    CO_TRY([[maybe_unused]] Unit staged, co_await stage_part(in, job));
  }
  co_return Unit{};
}

Task<Result<ImportOutcome>> run(Invocation& in, ImportJob& job) {
  CO_TRY([[maybe_unused]] Unit read, co_await read_items(in, job));
  job.set.finish_hashes();
  Races races;
  while (true) {
    Result<ImportOutcome> outcome =
        job.staged_id ? co_await apply_staged(in, job) : co_await import_at_once(in, job);
    if (!races.lost(outcome)) co_return outcome;
  }
}

}  // namespace

Status take_source(ImportJob& job, store::Rows row) {
  store::SideRow read;
  if (!row.next(read)) return not_found();
  SideRow now = side_row(read);
  sync::SourceConfig config = sync::source_config(now.config);
  if (config.id_field != job.config.id_field) return Error{ErrorCode::guard, "id_field_changed"};
  job.order.source = std::move(now);
  job.config = std::move(config);
  return Unit{};
}

Status check_removals(const ImportJob& job, int64_t removed) {
  constexpr int64_t kFewProperties = 10;
  constexpr double kDefaultRatio = 0.5;
  int64_t live = job.order.source.property_count;
  if (job.order.force || removed == 0 || live < kFewProperties) return Unit{};
  double ratio = job.config.max_removed_ratio.value_or(kDefaultRatio);
  if (static_cast<double>(removed) / static_cast<double>(live) <= ratio) return Unit{};
  return Error{ErrorCode::conflict,
               "This import would remove " + std::to_string(removed) + " of " +
                   std::to_string(live) +
                   " properties, more than the source's max_removed_ratio allows. Nothing was "
                   "changed. Send it with force=true if the list is complete."};
}

ImportOutcome outcome_of(const ImportJob& job, const ImportCounts& counts) {
  ImportOutcome outcome;
  outcome.total = static_cast<int64_t>(job.set.total());
  outcome.created = counts.fresh;
  outcome.updated = counts.changed + counts.returned;
  outcome.failed = static_cast<int64_t>(job.set.failed());
  outcome.skipped = outcome.total - outcome.created - outcome.updated - outcome.failed;
  outcome.removed = counts.removed;
  outcome.errors = job.set.errors();
  if (job.order.mode == sync::ImportMode::full && job.set.nameless()) {
    outcome.errors.begin()->second.detail += "; nothing was removed, since item " +
                                             std::to_string(*job.set.nameless()) +
                                             " has no identity";
  }
  return outcome;
}

Statement log_of(const ImportJob& job, const ImportOutcome& outcome, Time now) {
  return log_row(job.operation,
                 {.status = std::string(outcome.status()),
                  .total = outcome.total,
                  .updated = outcome.created + outcome.updated + outcome.removed,
                  .failed = outcome.failed,
                  .stats = outcome.stats()},
                 now);
}

std::string ImportOutcome::stats() const {
  return "{\"created\":" + std::to_string(created) + ",\"updated\":" + std::to_string(updated) +
         ",\"skipped\":" + std::to_string(skipped) + ",\"failed\":" + std::to_string(failed) +
         ",\"removed\":" + std::to_string(removed) + "}";
}

namespace {

Task<Result<ImportOutcome>> import_all(Invocation& in, ImportOrder order, Operation operation) {
  std::string random = in.random(sizeof(uint64_t));
  uint64_t seed;
  std::memcpy(&seed, random.data(), sizeof seed);
  sync::SourceConfig config = sync::source_config(order.source.config);
  sync::ImportMode mode = order.mode;
  ImportJob job{std::move(order), config, sync::ImportSet(config.id_field, mode, seed),
                std::move(operation)};
  Result<ImportOutcome> outcome = co_await run(in, job);
  if (!outcome.ok() && job.staged_id) {
    // What cannot be dropped now goes when the import's lease has passed.
    [[maybe_unused]] Result<Unit> discarded = co_await discard_staged(in, job);
  }
  co_return outcome;
}

}  // namespace

Task<Result<ImportOutcome>> import_body(Invocation& in, ImportOrder order) {
  Operation operation = begun(in, {order.tenant, "import", SourceId{order.source.id}});
  return logged(in, operation, import_all(in, std::move(order), operation));
}

}  // namespace sm::flow
