#include <cstdlib>

#include "core/api/handlers.h"
#include "core/base/limits.h"
#include "core/flow/cleanup.h"
#include "core/flow/configure.h"
#include "core/flow/import.h"
#include "core/flow/sync.h"
#include "core/json/writer.h"

namespace sm::api {
namespace {

std::optional<uint64_t> announced_bytes(const http::Request& request) {
  auto length = request.header("content-length");
  if (!length) return std::nullopt;
  return std::strtoull(std::string(*length).c_str(), nullptr, 10);
}

std::string errors_json(const std::map<size_t, sync::ImportError>& errors) {
  std::string json;
  json::ListWriter list(json);
  for (const auto& [index, error] : errors) {
    json::ObjectWriter(list.element())
        .integer("index", static_cast<int64_t>(index))
        .maybe_text("external_id", error.external_id)
        .text("detail", error.detail)
        .end();
  }
  list.end();
  return json;
}

// Where every item failed, nothing was done.
http::Response refused_import(const flow::ImportOutcome& outcome) {
  Error error{ErrorCode::invalid, "Every item failed, so nothing was done: see `errors`."};
  return http::problem(error,
                       {{"stats", outcome.stats()}, {"errors", errors_json(outcome.errors)}});
}

}  // namespace

ResponseTask import_properties(Invocation& in, Call call) {
  CO_TRY(flow::ImportOrder order,
         co_await flow::order_import(in, call.tenant, SourceId{call.ids[0]}));
  if (call.arguments.text("mode") == "full") order.mode = sync::ImportMode::full;
  order.force = call.arguments.boolean("force").value_or(false);
  order.announced_bytes = announced_bytes(call.request);
  order.arrived = call.request.arrived;
  auto content_type = call.request.header("content-type");
  order.lines = content_type && http::media_type(*content_type) == kLinesMediaType;
  CO_TRY(flow::ImportOutcome outcome, co_await flow::import_body(in, std::move(order)));
  if (outcome.failed > 0 && outcome.failed == outcome.total) co_return refused_import(outcome);
  co_return http::json(200, json::object([&](json::ObjectWriter& answer) {
                         answer.text("status", outcome.status()).raw("stats", outcome.stats());
                         answer.raw("errors", errors_json(outcome.errors));
                       }));
}

ResponseTask sync_source_to_target(Invocation& in, Call call) {
  CO_TRY(flow::SyncOutcome outcome,
         co_await flow::sync_pair(in, call.tenant, SourceId{call.ids[0]}, TargetId{call.ids[1]}));
  co_return http::json(200, json::object([&](json::ObjectWriter& answer) {
                         answer.text("status", "success").raw("stats", outcome.stats);
                         answer.text("delivery", "none").text("sync_id", outcome.sync_id);
                       }));
}

ResponseTask clean_up(Invocation& in, Call call) {
  int64_t days = call.arguments.integer("days").value_or(flow::retention_days(in.deployment()));
  CO_TRY(std::string deleted, co_await flow::clean_up(in, call.tenant, in.now() - days * kDayMs));
  co_return http::json(200, json::object([&](json::ObjectWriter& answer) {
                         answer.text("status", "success").raw("deleted", deleted);
                       }));
}

}  // namespace sm::api
