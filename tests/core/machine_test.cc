#include "core/machine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/limits.h"
#include "core/store/store.h"
#include "tests/core/scripted_host.h"

namespace sm {
namespace {

const Cells kTenant = kGoodKey;
const Cells kSource = {{1, "Source", "json", "{}", 2, "t", "t", 5}};
const Cells kTarget = {{1, "Target", "internal", "{}", 0, "t", "t", 3}};

TEST(Machine, AnUnknownPathIs404WithoutAskingTheStore) {
  ScriptedHost host;
  Step step = host.start("GET", "/nothing");
  EXPECT_TRUE(step.done());
  EXPECT_EQ(step.status(), 404);
}

TEST(Machine, AWrongMethodNamesTheRightOnes) {
  ScriptedHost host;
  Step step = host.start("PUT", "/sources/1");
  EXPECT_EQ(step.status(), 405);
  EXPECT_NE(step.head.dump().find("GET, HEAD, PATCH, DELETE, OPTIONS"), std::string::npos);
}

TEST(Machine, AMalformedKeyIsRefusedWithoutAskingTheStore) {
  for (const char* key : {"", "short", "sm_0000000000000000000000000000000000000000deadbeef"}) {
    ScriptedHost host;
    Step step = host.start("GET", "/sources", false, key);
    EXPECT_TRUE(step.done()) << key;
    EXPECT_EQ(step.status(), 401);
  }
}

TEST(Machine, AnUnknownKeyIs401AfterOneQuery) {
  ScriptedHost host;
  Step step = host.start("GET", "/sources");
  EXPECT_EQ(step.effect(), "query");
  step = host.resume(rows({{}}));
  EXPECT_EQ(step.status(), 401);
}

TEST(Machine, AStoreThatIsDownIs503) {
  ScriptedHost host;
  host.start("GET", "/sources");
  Step step = host.resume(fails("unavailable"));
  EXPECT_EQ(step.status(), 503);
  EXPECT_NE(step.head.dump().find("retry-after"), std::string::npos);
}

TEST(Machine, ABodyThatIsCutOffIs400) {
  ScriptedHost host;
  host.start("POST", "/sources", true);
  Step step = host.resume(rows({kTenant}));
  EXPECT_EQ(step.effect(), "read_body");
  step = host.resume(fails("cut_off"));
  EXPECT_EQ(step.status(), 400);
}

// What a sync reads of its target: it forgot nothing, has rows, and none that waits for a person.
const Cells kTargetState = {{0, 1, 2, 0}};

// A batch that went well, and gave no rows.
ScriptedReply written(const Step& batch) { return rows(std::vector<Cells>(batch.statements())); }

// Up to the batch of a sync that creates two rows.
Step sync_to_batch(ScriptedHost& host) {
  host.resume(rows({kSource, kTarget, {}, kTargetState, {{0}}, {{nullptr}}, {{1, 2}}}));
  Step step = host.resume(rows({{{"create", 2}}}));
  EXPECT_EQ(step.effect(), "batch");
  return step;
}

TEST(Machine, ALostRaceStartsTheSyncAgain) {
  ScriptedHost host;
  host.start("POST", "/sync/1/1");
  host.resume(rows({kTenant}));
  Step batch = sync_to_batch(host);
  EXPECT_EQ(batch.name(0), "guard_connector (source)");
  Step again = host.resume(fails("guard:target_changed"));
  EXPECT_EQ(again.effect(), "query");
  EXPECT_EQ(again.statements(), 7u);
  batch = sync_to_batch(host);
  Step answer = host.resume(written(batch));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_NE(answer.body().find("\"created\":2"), std::string::npos);
}

TEST(Machine, RacesThatAreLostForeverEndIn503) {
  ScriptedHost host;
  host.start("POST", "/sync/1/1");
  host.resume(rows({kTenant}));
  Step step;
  for (int i = 0; i < 1000; ++i) {
    step = host.resume(rows({kSource, kTarget, {}, kTargetState, {{0}}, {{nullptr}}, {{1, 2}}}));
    if (step.effect() == "query") step = host.resume(rows({{{"create", 2}}}));
    step = host.resume(fails("guard:source_changed"));
    if (step.effect() == "batch") break;
  }
  EXPECT_EQ(step.statement(1), store::failure_logged({}, "", "", {}, {}, "", "", "").number);
  step = host.resume(written(step));
  ASSERT_TRUE(step.done());
  EXPECT_EQ(step.status(), 503);
}

TEST(Machine, ASyncThatLosesSeveralRacesDecidesInsideItsBatch) {
  ScriptedHost host;
  host.start("POST", "/sync/1/1");
  host.resume(rows({kTenant}));
  for (int i = 0; i < 5; ++i) {
    sync_to_batch(host);
    host.resume(fails("guard:target_changed"));
  }
  Step batch =
      host.resume(rows({kSource, kTarget, {}, kTargetState, {{0}}, {{nullptr}}, {{1, 2}}}));
  ASSERT_EQ(batch.effect(), "batch") << "nothing is asked before";
  std::vector<Cells> results(batch.statements());
  results[1] = {{R"({"created":9})"}};
  Step answer = host.resume(rows(results));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_NE(answer.body().find(R"("stats":{"created":9})"), std::string::npos) << answer.body();
}

TEST(Machine, AfterAnUnknownOutcomeTheLogTellsWhetherTheBatchWasCommitted) {
  for (bool committed : {true, false}) {
    ScriptedHost host;
    host.start("POST", "/sync/1/1");
    host.resume(rows({kTenant}));
    sync_to_batch(host);
    Step step = host.resume(fails("unknown_outcome"));
    EXPECT_EQ(step.name(0), "log_by_sync_id");
    step = host.resume(rows({committed ? Cells{{"{}", 4}} : Cells{}}));
    if (!committed) step = host.resume(written(step));
    EXPECT_EQ(step.status(), committed ? 200 : 503);
    if (!committed) EXPECT_NE(step.body().find("Nothing was changed"), std::string::npos);
  }
}

TEST(Machine, AnOutcomeStaysUnknownWhereTheStoreCannotSayWhatBecameOfIt) {
  ScriptedHost host;
  host.start("POST", "/sync/1/1");
  host.resume(rows({kTenant}));
  sync_to_batch(host);
  host.resume(fails("unknown_outcome"));
  Step step = host.resume(fails("unavailable"));
  if (!step.done()) step = host.resume(written(step));  // its log row
  EXPECT_EQ(step.status(), 503);
  EXPECT_NE(step.body().find("may have happened"), std::string::npos) << step.body();
}

std::string import_body(size_t items, size_t bytes) {
  std::string body = "{\"data\":[";
  for (size_t i = 0; i < items; ++i) {
    body += (i > 0 ? ",{\"id\":" : "{\"id\":") + std::to_string(i) + ",\"text\":\"" +
            std::string(bytes, 'x') + "\"}";
  }
  return body + "]}";
}

// A letter for each item of a pack of identities.
Cells letters(const Step& step, size_t statement, size_t pack_param, char letter) {
  size_t section = step.params(statement)[pack_param]["section"].get<size_t>();
  Json pack = Json::parse(step.sections[section], nullptr, false);
  return {{std::string(pack.size(), letter)}};
}

// Drives an import of 18 MB, of which every part and the whole are new, and fails its last batch.
// So many rows are found staged when it drops them.
struct LargeImport {
  explicit LargeImport(ScriptedReply last_batch, int64_t staged = 60) {
    host.start("POST", "/sources/1/import", true);
    host.resume(rows({kTenant}));
    Step step = host.resume(rows({kSource, {}}));
    std::string body = import_body(60, 300'000);
    size_t at = 0;
    for (int i = 0; i < 1000 && !step.done(); ++i) {
      std::string effect = step.effect();
      uint32_t first = effect == "batch" ? step.statement(0) : 0;
      if (effect == "read_body") {
        std::string part = body.substr(at, 256 * 1024);
        at += part.size();
        step = host.resume(part.empty() ? body_end() : body_part(part));
      } else if (effect == "query" && step.statement(0) == store::staged_slice({}, 0, 0).number) {
        int64_t found = std::min(staged, kCleanupSliceRows);
        staged -= found;
        step = host.resume(rows({Cells{{found > 0 ? Json("9") : Json(nullptr), found}}}));
      } else if (effect == "query" &&
                 step.statement(1) == store::staged_differences({}, {}, {}).number) {
        step = host.resume(rows({kSource, letters(step, 1, 2, 'x'), {}}));
      } else if (effect == "query" &&
                 step.statement(1) == store::staged_counted({}, {}, 0).number) {
        ++counted;
        step = host.resume(rows({kSource, {{60, 60, 0, 0, 0}}}));
      } else if (effect == "query") {
        step = host.resume(rows({kSource}));
      } else if (first == store::ids_reserved("", 0).number) {
        step = host.resume(rows({{{77}}, {}}));
      } else if (first == store::import_given_up({}, 0).number) {
        ++discarded;
        size_t last_statement = step.statements() - 1;
        if (step.statement(last_statement) == store::import_ended({}, 0).number) ++ended;
        step = host.resume(written(step));
      } else if (first == store::log_interrupted({}, "", "", "").number) {
        ++logged;
        step = host.resume(written(step));
      } else if (step.statement(2) == store::import_renewed({}, 0, "").number) {
        ++parts;
        step = host.resume(written(step));
      } else {
        step = host.resume(last_batch);
      }
    }
    last = step;
  }

  ScriptedHost host;
  Step last;
  int parts = 0;
  int counted = 0;
  int discarded = 0;
  int ended = 0;
  int logged = 0;
};

TEST(Machine, ALargeImportIsStagedInParts) {
  LargeImport import(rows(std::vector<Cells>(10)));
  EXPECT_EQ(import.last.status(), 200);
  EXPECT_GE(import.parts, 4);
  EXPECT_EQ(import.counted, 1);
  EXPECT_EQ(import.discarded, 0);
  EXPECT_NE(import.last.body().find("\"created\":60"), std::string::npos) << import.last.body();
}

TEST(Machine, ALargeImportThatFailsDropsWhatItStaged) {
  LargeImport import(fails("unavailable"));
  EXPECT_EQ(import.last.status(), 503);
  EXPECT_EQ(import.discarded, 1);
  EXPECT_EQ(import.logged, 1);
}

TEST(Machine, ALargeImportThatFailsDropsManyRowsInSlices) {
  LargeImport import(fails("unavailable"), 2 * kCleanupSliceRows + 1);
  EXPECT_EQ(import.last.status(), 503);
  EXPECT_EQ(import.discarded, 3);
  EXPECT_EQ(import.ended, 1);
}

TEST(Machine, ALargeImportThatLosesRacesCountsAgain) {
  LargeImport import(fails("guard:source_changed"));
  EXPECT_EQ(import.last.status(), 503);
  EXPECT_GT(import.counted, 5);
  EXPECT_GE(import.discarded, 1);
}

TEST(Machine, ALargeImportThatWasGivenUpEndsAtOnce) {
  LargeImport import(fails("guard:lease_lost"));
  EXPECT_EQ(import.last.status(), 503);
  EXPECT_EQ(import.counted, 1);
}

// Their data is {"d":"dd…"} with 900 letters.
Cells property_rows(int64_t first, int64_t count) {
  std::string data = "7B2264223A22";
  for (int i = 0; i < 900; ++i) data += "64";
  data += "227D";
  Cells cells;
  for (int64_t id = first; id < first + count; ++id) {
    cells.push_back({id, data.size() / 2, data, "hash|1|t|t|1||" + std::to_string(id)});
  }
  return cells;
}

// Takes the parts of a page as they are written.
Step take_parts(ScriptedHost& host, Step step, std::string& body) {
  while (step.effect() == "write") {
    body += step.body();
    step = host.resume(ok());
  }
  return step;
}

TEST(Machine, AListOfManyRowsIsStreamedPageByPage) {
  ScriptedHost host;
  host.start("GET", "/sources/1/properties");
  host.resume(rows({kTenant}));
  Step step = host.resume(rows({kSource, property_rows(1, kStreamSliceRows)}));
  EXPECT_EQ(step.effect(), "respond");
  EXPECT_TRUE(step.head["effects"][0]["stream"].get<bool>());
  std::string body;
  step = take_parts(host, host.resume(ok()), body);
  EXPECT_EQ(step.effect(), "query");
  host.resume(rows({property_rows(kStreamSliceRows + 1, 200)}));
  step = take_parts(host, host.resume(rows({kSource})), body);
  EXPECT_EQ(step.effect(), "end");
  EXPECT_TRUE(step.done());
  EXPECT_EQ(Json::parse(body, nullptr, false).size(), static_cast<size_t>(kStreamSliceRows + 200));
}

TEST(Machine, AStreamThatFailsIsCutOff) {
  ScriptedHost host;
  host.start("GET", "/sources/1/properties");
  host.resume(rows({kTenant}));
  host.resume(rows({kSource, property_rows(1, kStreamSliceRows)}));
  std::string body;
  Step step = take_parts(host, host.resume(ok()), body);
  EXPECT_EQ(step.effect(), "query");
  step = host.resume(fails("unavailable"));
  EXPECT_EQ(step.effect(), "abort");
  EXPECT_TRUE(step.done());
}

// Each list drives a flow to its end, where a batch takes whatever stands in its place; closing
// before any of its replies must free everything (the sanitizer tells) and leave a machine that
// starts again.
void close_everywhere(const std::function<Step(ScriptedHost&)>& start,
                      const std::vector<ScriptedReply>& replies) {
  for (size_t stop = 0; stop <= replies.size(); ++stop) {
    ScriptedHost host;
    Step step = start(host);
    for (size_t i = 0; i < stop; ++i) {
      ASSERT_FALSE(step.done()) << i;
      step = host.resume(step.effect() == "batch" ? written(step) : replies[i]);
    }
    host.close();
    EXPECT_EQ(host.start("GET", "/nothing").status(), 404);
  }
}

TEST(Machine, MayBeClosedAtEverySuspension) {
  close_everywhere(
      [](ScriptedHost& host) { return host.start("POST", "/sync/1/1"); },
      {rows({kTenant}), rows({kSource, kTarget, {}, kTargetState, {{0}}, {{nullptr}}, {{1, 2}}}),
       rows({{{"create", 2}}}), rows(std::vector<Cells>(7))});
  close_everywhere([](ScriptedHost& host) { return host.start("POST", "/sources/1/import", true); },
                   {rows({kTenant}), rows({kSource, {}}), body_part(import_body(2, 10)), body_end(),
                    rows({kSource, {{"nn"}}}), rows(std::vector<Cells>(7))});
  close_everywhere(
      [](ScriptedHost& host) { return host.start("GET", "/sources/1/properties"); },
      {rows({kTenant}), rows({kSource, property_rows(1, kStreamSliceRows)}), ok(), ok(), ok(),
       rows({property_rows(kStreamSliceRows + 1, 1)}), rows({kSource}), ok()});
}

TEST(Machine, GivesTheAnswersOfADeadCore) {
  Machine machine;
  std::string frame;
  append_section(frame, R"({"kind":"stored_responses"})");
  const std::string& step = machine.start(frame);
  EXPECT_NE(step.find("\"trap\""), std::string::npos);
  EXPECT_NE(step.find("It was not carried out"), std::string::npos);
  EXPECT_NE(step.find("\"trap_after_batch\""), std::string::npos);
  EXPECT_NE(step.find("Whether it was carried out is not known"), std::string::npos);
  EXPECT_NE(step.find("\"overloaded\""), std::string::npos);
  EXPECT_NE(step.find("urn:sync-manager:problem:internal"), std::string::npos);
}

}  // namespace
}  // namespace sm
