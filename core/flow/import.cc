#include "core/flow/import.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/base/limits.h"
#include "core/flow/body.h"
#include "core/flow/commit.h"
#include "core/flow/import_job.h"
#include "core/flow/log.h"
#include "core/flow/memory.h"
#include "core/http/malformed.h"
#include "core/json/item_reader.h"
#include "core/json/line_reader.h"
#include "core/json/writer.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

constexpr const char* kWrapped =
    "must be a JSON object that has the list of properties under data, as {\"data\":[...]}";

Error shape_error(const std::vector<json::ShapeProblem>& problems) {
  FieldErrors fields;
  for (const json::ShapeProblem& problem : problems) {
    using Kind = json::ShapeProblem::Kind;
    const char* detail = problem.kind == Kind::not_object ? kWrapped
                         : problem.kind == Kind::missing  ? "is required: the list of properties"
                         : problem.kind == Kind::not_list ? "must be a list of properties"
                         : problem.kind == Kind::duplicate
                             ? "must be given once"
                             : "is not a member that can be given here";
    fields.add({FieldError::In::body, problem.pointer, detail});
  }
  return invalid_body(std::move(fields));
}

Error not_lines() {
  return {ErrorCode::malformed,
          "The body opens a list, so it is no NDJSON, which has one item a line. A list is sent as "
          "application/json, as {\"data\":[...]}."};
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

// An import that is at hand whole starts again by itself. One in parts cannot: its body is gone,
// and its data lies in the store under the identities that were made of it. Only the client has it.
Error identities_changed() {
  return {
      ErrorCode::conflict,
      "The source's id_field was changed during the import, so that the identities of its items "
      "are not certain any more. Nothing was done: send it again."};
}

bool is_identity_change(const Error& error) { return store::lost_guard(error, "id_field_changed"); }

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

// An item that leaves no text is still looked into, for its identity.
std::unique_ptr<json::ItemStream> reader_of(const ImportJob& job) {
  size_t levels = sync::identity_levels(job.config.id_field);
  if (!job.order.lines) return std::make_unique<json::ItemReader>(levels);
  return std::make_unique<json::LineReader>(last_line(job.order), levels);
}

// What the import may take of memory when so much of its body was read: by the length that was
// announced, or else, behind what needs no asking, by what it may become. A body that the host does
// not have at hand holds its memory for as long as the client takes, so that a tenant has a turn.
ReserveMemory memory_for(const ImportOrder& order, uint64_t read_bytes) {
  bool asks = read_bytes * kImportMemoryPerByte > kUnreservedImportMemory;
  uint64_t expected = order.arrived ? kMaxBodyBytes : kMaxImportBytes;
  uint64_t bytes = order.announced_bytes.value_or(asks ? expected : 0);
  std::string turn = bytes > kMaxBodyBytes ? std::to_string(order.tenant.value) : std::string();
  if (bytes > kImportPartBytes) return {kStagedImportMemory, std::move(turn)};
  uint64_t memory = bytes * kImportMemoryPerByte + value_memory(bytes);
  return {std::min(memory, kLargeImportMemory), std::move(turn)};
}

// Whether the body came slowly so far.
bool is_slow(int64_t elapsed_ms, uint64_t read_bytes) {
  return elapsed_ms > kUnjudgedMs &&
         static_cast<int64_t>(read_bytes) < elapsed_ms * kSlowBytesPerMs;
}

// Reads the body to its end. What it leaves open is less than one part, and nothing where a part
// was staged.
Task<Result<Unit>> read_items(Invocation& in, ImportJob& job) {
  std::unique_ptr<json::ItemStream> reader = reader_of(job);
  Arena& data = in.arena();
  size_t limit = part_limit(job.order);
  Time began = in.now();
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
    if (event.kind == json::Event::Kind::syntax) {
      co_return http::malformed_body(event.offset, chunk.bytes, read_bytes - chunk.bytes.size());
    }
    if (event.kind == json::Event::Kind::list) co_return not_lines();
    if (event.kind == json::Event::Kind::cut_off) co_return cut_off(job.order.mode);
    if (event.kind == json::Event::Kind::end) break;
    ReserveMemory memory = memory_for(job.order, read_bytes);
    if (memory.bytes > reserved) {
      reserved = memory.bytes;
      CO_TRY([[maybe_unused]] Reply held, co_await perform_one(in, std::move(memory)));
    }
    CO_TRY(chunk, co_await perform_one(in, ReadBody{}));
    read_bytes += chunk.bytes.size();
    if (is_slow(in.now().ms - began.ms, read_bytes)) limit = std::min(limit, kSlowPartBytes);
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

// Every item failed: the log row is all that is written.
Task<Result<ImportOutcome>> refuse(Invocation& in, ImportJob& job) {
  CO_TRY(store::Rows row,
         co_await store::query(
             in, store::connector_by_id(Connector::source, job.order.tenant, job.order.source.id)));
  CO_TRY([[maybe_unused]] Unit taken, take_source(job, std::move(row)));
  ImportOutcome outcome = outcome_of(job, {});
  std::vector<Statement> batch;
  batch.push_back(store::guard_connector(Connector::source, job.order.tenant, job.order.source.id,
                                         job.order.source.revision));
  batch.push_back(log_of(job, outcome, in.now()));
  CO_TRY([[maybe_unused]] Committed logged,
         co_await commit_logged(in, job.operation, std::move(batch)));
  co_return outcome;
}

Task<Result<ImportOutcome>> attempt(Invocation& in, ImportJob& job) {
  if (job.set.all_failed()) co_return co_await refuse(in, job);
  if (job.staged_id) co_return co_await apply_staged(in, job);
  co_return co_await import_at_once(in, job);
}

Task<Result<ImportOutcome>> run(Invocation& in, ImportJob& job) {
  Result<Unit> read = co_await read_items(in, job);
  if (!read.ok()) {
    co_return is_identity_change(read.error()) ? identities_changed() : std::move(read).error();
  }
  job.set.finish_hashes();
  Races races(in);
  for (int changes = 0;;) {
    Result<ImportOutcome> outcome = co_await attempt(in, job);
    if (outcome.ok() || !is_identity_change(outcome.error())) {
      if (!races.lost(outcome)) co_return outcome;
    } else if (++changes > kMaxLostRaces || job.staged_id ||
               !job.set.identify_again(job.config.id_field, in.arena())) {
      co_return identities_changed();
    }
  }
}

}  // namespace

Status take_source(ImportJob& job, store::Rows row) {
  store::ConnectorRow read;
  if (!row.next(read)) return not_found();
  job.order.source = connector_row(read);
  sync::SourceConfig before = std::move(job.config);
  job.config = sync::source_config(job.order.source.config);
  if (job.config.id_field == before.id_field) return Unit{};
  return Error{ErrorCode::guard, "id_field_changed"};
}

Status check_removals(const ImportJob& job, int64_t removed) {
  constexpr int64_t kFewProperties = 10;
  constexpr double kDefaultRatio = 0.5;
  int64_t live = job.order.source.property_count;
  if (job.order.force || removed == 0) return Unit{};
  std::optional<double> ratio = job.config.max_removed_ratio;
  double share = static_cast<double>(removed) / static_cast<double>(live);
  bool is_empty = !ratio && job.set.total() == 0;
  bool is_much = ratio ? share > *ratio : live >= kFewProperties && share > kDefaultRatio;
  if (!is_empty && !is_much) return Unit{};
  const char* reason = ratio      ? "more than the source's max_removed_ratio allows"
                       : is_empty ? "since its list is empty"
                                  : "more than half of them";
  return Error{ErrorCode::conflict,
               "This import would remove " + std::to_string(removed) + " of " +
                   std::to_string(live) + " properties, " + reason +
                   ". Nothing was changed. Send it with force=true if the list is complete."};
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
  bool full = job.order.mode == sync::ImportMode::full;
  if (full && !job.removes() && !job.set.all_failed()) {
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
                  .stats = outcome.stats(),
                  .error_message = outcome.error_message()},
                 now);
}

std::string ImportOutcome::stats() const {
  return json::object([this](json::ObjectWriter& stats) {
    stats.integer("created", created).integer("updated", updated).integer("skipped", skipped);
    stats.integer("failed", failed).integer("removed", removed);
  });
}

std::optional<std::string> ImportOutcome::error_message() const {
  if (failed == 0) return std::nullopt;
  const auto& [index, error] = *errors.begin();
  std::string all = std::to_string(total);
  std::string how_many = failed == total ? "All of " + all + " items failed, so nothing was done"
                                         : std::to_string(failed) + " of " + all + " items failed";
  return how_many + ". Item " + std::to_string(index) + ": " + error.detail + ".";
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
  bool applied = outcome.ok() && !job.set.all_failed();
  if (job.staged_id && !applied) {
    // What cannot be dropped now goes when the import's lease has passed.
    [[maybe_unused]] Result<Unit> discarded = co_await discard_staged(in, job);
  }
  co_return outcome;
}

}  // namespace

Task<Result<ImportOrder>> order_import(Invocation& in, TenantId tenant, SourceId source) {
  std::vector<Statement> statements;
  statements.push_back(store::connector_by_id(Connector::source, tenant, source.value));
  statements.push_back(store::last_import(tenant, source));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  store::ConnectorRow row;
  if (!rows[0].next(row)) co_return not_found();
  ImportOrder order{tenant, connector_row(row)};
  store::LastImportRow last;
  if (rows[1].next(last)) order.last_digest = last.digest.value_or("");
  co_return order;
}

Task<Result<ImportOutcome>> import_body(Invocation& in, ImportOrder order) {
  Operation operation = begun(in, {order.tenant, "import", SourceId{order.source.id}});
  return logged(in, operation, import_all(in, std::move(order), operation));
}

}  // namespace sm::flow
