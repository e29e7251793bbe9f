// A plain model of api.md: what a tenant has, and what each operation makes of it, in loops over
// rows. It knows nothing of revisions, statements or increments, and shares no code with the core.
//
// A tenant is a value. Operations are applied to a copy of it, which is then compared with the
// store; so one can ask at any time what an operation would answer.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/coverage.h"
#include "tests/simulation/operation.h"
#include "tests/simulation/value.h"

namespace simulation {

struct Snapshot {
  int64_t version;
  Data data;
  const char* reason;
  Moment created_at;
  int64_t id = 0;
};

struct SourceRow {
  int64_t id = 0;  // 0 until the store has told it
  Data data = nullptr;
  int64_t version = 1;
  Moment removed_at = 0;
  Moment created_at = 0;
  Moment updated_at = 0;
  std::vector<Snapshot> snapshots = {};

  bool live() const { return removed_at == 0; }
};

// The row's own warning; a contest is told beside it.
enum class Warning { none, keep, conflict, removed };
enum class Status { synced, manual, conflict, removed };

struct TargetRow {
  int64_t id = 0;
  int64_t source_id = 0;  // the owner; 0: none
  int64_t source_property_id = 0;
  Data data = nullptr;
  Data base = nullptr;
  int64_t version = 1;
  bool accepted = false;
  Warning warning = Warning::none;
  int64_t contested_by = 0;
  Status status = Status::synced;
  Moment last_synced = 0;
  Moment hidden_at = 0;
  Moment created_at = 0;
  Moment updated_at = 0;
  std::vector<Snapshot> snapshots = {};

  bool manual() const { return data != base; }
  bool hidden() const { return hidden_at != 0; }
};

struct Connector {
  int64_t id = 0;
  std::string name;
  std::string type;
  Json config;
  Moment created_at = 0;
  Moment updated_at = 0;

  // A text of the config, or what stands where it lacks it.
  std::string setting(const char* name, const char* otherwise) const;
};
struct Source : Connector {
  std::map<std::string, SourceRow> rows = {};
  int64_t live() const;
};
struct Target : Connector {
  std::map<std::string, TargetRow> rows = {};
  int64_t live() const;
};

struct LogRow {
  const char* type;
  const char* status;
  int64_t source_id = 0;
  int64_t target_id = 0;
  int64_t total = 0;
  int64_t updated = 0;
  int64_t failed = 0;
  Json stats = nullptr;
  bool has_error = false;
  Moment completed_at = 0;
  int64_t id = 0;
  std::string sync_id = {};
  Moment started_at = 0;
  std::string run_id = {};
  // Of an operation that commits in several steps: which one it is (kRetention for a run).
  int64_t operation = 0;
  bool settled = false;  // compared as it will stay
};

struct Tenant {
  // A new one stands under 0 until the store has told its id.
  std::map<int64_t, Source> sources = {};
  std::map<int64_t, Target> targets = {};
  std::vector<LogRow> logs = {};
  int64_t operations = 0;  // that commit in several steps, so far

  Source* source(int64_t id);
  Target* target(int64_t id);
  // By property id; null where there is none. Hidden rows are not found.
  std::pair<const std::string, SourceRow>* source_row(int64_t source, int64_t property);
  std::pair<const std::string, TargetRow>* target_row(int64_t target, int64_t property);
};

// What an operation answers. A status from 400 on has a problem as its body.
struct Outcome {
  int status = 200;
  Json body = nullptr;
  bool writes = false;
  bool created = false;  // the answer is the row of a connector that has no id yet
  bool has_next = false;
  int64_t operation = 0;  // LogRow::operation, once a first step is committed
};

// Up to where one batch of a clean-up or a retention drops snapshots, or hidden rows, in the order
// of source or target, row and version.
struct Cut {
  int64_t connector = 0;
  int64_t row = 0;
  int64_t version = 0;
  auto operator<=>(const Cut&) const = default;
};
struct Slice {
  Cut sources = {};
  Cut targets = {};
  Cut hidden = {};
};

// When an operation happens, and what it needs besides.
struct Applying {
  Moment now;                   // when its batch was made
  std::vector<Moment> moments;  // the times that its invocation was told, in order
  DataPool* pool;
  Coverage* coverage;
  Slice slice = {};
};

// Operations that commit in several steps can be seen between them; all others have one.
int stages(const Action& action);

// Carries out one stage. `outcome` goes from stage to stage and is complete after the last one.
void apply(Tenant& tenant, const Action& action, int stage, const Applying& at, Outcome& outcome);

// What a batch of a clean-up carries out: each drops a slice, and the first one begins the log row.
enum CleanupStage { cleanup_slice = 0, cleanup_end = 1, cleanup_stages = 2 };

// What a batch of the nightly retention carries out; each commits by itself.
enum class RetentionStep { none, claim, drops, hidden, logs, end, give_up };
inline constexpr int64_t kRetention = -1;
void apply_retention(Tenant& tenant, RetentionStep step, Moment as_of, const Applying& at);

// One for each kind of action (model.cc, model_import.cc, model_sync.cc).
Outcome apply_import(Tenant& tenant, const Import& import, const Applying& at);
Outcome apply_removal(Tenant& tenant, const RemoveProperty& gone, const Applying& at);
Outcome apply_sync(Tenant& tenant, const Sync& sync, const Applying& at);
Outcome apply_edit(Tenant& tenant, const Edit& edit, const Applying& at);
Outcome answer_read(Tenant& tenant, const Read& read);

// Rows as the API shows them. Where a text is open, an object stands for it: `{"$text": [begins
// with, contains…]}`.
Json show(const Source& source);
Json show(const Target& target);
Json show(const Source& source, const std::string& external_id, const SourceRow& row);
Json show(const Tenant& tenant, const Target& target, const std::string& external_id,
          const TargetRow& row);

inline Outcome refused(int status) { return {status}; }

}  // namespace simulation
