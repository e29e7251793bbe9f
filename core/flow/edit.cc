#include "core/flow/edit.h"

#include "core/base/sha256.h"
#include "core/flow/commit.h"
#include "core/flow/log.h"
#include "core/http/conditional.h"
#include "core/json/canonical.h"
#include "core/json/merge_patch.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

using Shown = store::Held<store::TargetPropertyRow>;

struct EditedRow {
  Shown shown;
  std::string base_hash;
};

Task<Result<EditedRow>> read_row(Invocation& in, TenantId tenant, TargetId target,
                                 PropertyId property) {
  std::vector<Statement> statements;
  statements.push_back(store::target_property(tenant, target, property));
  statements.push_back(store::edited_base(tenant, target, property));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  Shown shown(std::move(rows[0]));
  store::EditedBaseRow base;
  if (!shown || !rows[1].next(base)) co_return not_found();
  co_return EditedRow{std::move(shown), std::string(base.hash)};
}

// The patched data. It can pass the limits of a property although the patch itself fits.
Result<std::string> patched(Invocation& in, const EditedRow& row, const std::string& patch) {
  std::string data = json::merge_patch(row.shown->data, patch);
  Arena::Mark mark = in.arena().mark();
  json::Canonical checked = json::canonicalize(data, in.arena());
  in.arena().release(mark);
  if (checked.refusal == json::Refusal::too_large) {
    return invalid_field("/data", "would make the property larger than 512 KiB");
  }
  if (checked.refusal == json::Refusal::too_deep) {
    return invalid_field("/data", "would nest the property deeper than 128 levels");
  }
  if (checked.refusal == json::Refusal::too_many_values) {
    return invalid_field("/data", "would give the property more than 50,000 values");
  }
  SM_CHECK(checked.outcome == json::Outcome::done && checked.refusal == json::Refusal::none);
  return data;
}

std::vector<Statement> edit_batch(const Invocation& in, const Edit& edit, const EditedRow& row,
                                  const std::string& hash, std::string data,
                                  const Operation& operation) {
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(store::guard_row(edit.tenant, edit.target, edit.property, row.shown->revision));
  batch.push_back(log_row(operation, {.total = 1, .updated = 1}, in.now()));
  batch.push_back(store::target_bumped(edit.tenant, edit.target, 0));
  batch.push_back(store::ids_reserved("target_snapshots", 1));
  batch.push_back(store::edit_snapshot(edit.tenant, edit.target, edit.property, "edit", now));
  if (hash == row.base_hash) {
    // Without a snapshot nothing would point to the edited data any more; with it, retention
    // decides.
    batch.push_back(store::base_restored(edit.tenant, edit.target, edit.property, hash, now));
    return batch;
  }
  auto bytes = static_cast<int64_t>(data.size());
  batch.push_back(store::ids_reserved("property_data", 1));
  batch.push_back(
      store::edit_data(edit.tenant, hash, std::make_shared<const std::string>(std::move(data))));
  batch.push_back(store::edit_applied(edit.tenant, edit.target, edit.property, hash, now));
  append_stored(batch, in, edit.tenant, bytes);
  return batch;
}

Task<Result<Shown>> attempt(Invocation& in, const Edit& edit, const Operation& operation) {
  CO_TRY(EditedRow row, co_await read_row(in, edit.tenant, edit.target, edit.property));
  if (edit.request.header("if-match") &&
      !http::may_change(edit.request, edit.tag_of(edit.tenant, *row.shown))) {
    co_return precondition_failed();
  }
  CO_TRY(std::string data, patched(in, row, edit.patch));
  std::string hash = to_hex(sha256(data));
  if (hash == row.shown->hash) co_return std::move(row.shown);
  std::vector<Statement> batch = edit_batch(in, edit, row, hash, std::move(data), operation);
  batch.push_back(store::target_property(edit.tenant, edit.target, edit.property));
  CO_TRY(Committed committed, co_await commit_logged(in, operation, std::move(batch)));
  if (!committed.rows) {
    CO_TRY(EditedRow now, co_await read_row(in, edit.tenant, edit.target, edit.property));
    co_return std::move(now.shown);
  }
  Shown shown(std::move(committed.rows->back()));
  SM_CHECK(shown);
  co_return shown;
}

Task<Result<Shown>> run(Invocation& in, Edit edit, Operation operation) {
  Races races(in);
  while (true) {
    Result<Shown> done = co_await attempt(in, edit, operation);
    if (!races.lost(done)) co_return done;
  }
}

}  // namespace

Task<Result<Shown>> edit_property(Invocation& in, Edit edit) {
  Operation operation = begun(in, {edit.tenant, "manual", std::nullopt, edit.target});
  return logged(in, operation, run(in, std::move(edit), operation));
}

}  // namespace sm::flow
