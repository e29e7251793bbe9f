#include <cstdlib>

#include "core/api/handlers.h"
#include "core/base/limits.h"
#include "core/flow/cleanup.h"
#include "core/flow/import.h"
#include "core/flow/sides.h"
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

Result<sync::ImportMode> read_mode(const Parameters& parameters) {
  auto given = parameters.find("mode");
  if (given == parameters.end() || given->second == "upsert") return sync::ImportMode::upsert;
  if (given->second == "full") return sync::ImportMode::full;
  return invalid_parameter("mode", "must be upsert or full");
}

}  // namespace

Answered import_properties(Invocation& in, Call call) {
  CO_TRY(flow::SideRow source,
         co_await flow::find_side(in, call.tenant, Side::source, call.ids[0]));
  CO_TRY(Parameters parameters, read_parameters(call));
  flow::ImportOrder order{call.tenant, std::move(source)};
  CO_TRY(order.mode, read_mode(parameters));
  if (auto force = parameters.find("force"); force != parameters.end()) {
    CO_TRY(order.force, read_boolean("force", force->second));
  }
  order.announced_bytes = announced_bytes(call.request);
  auto content_type = call.request.header("content-type");
  order.lines = content_type && http::media_type(*content_type) == kLinesMediaType;
  CO_TRY(flow::ImportOutcome outcome, co_await flow::import_body(in, std::move(order)));
  if (outcome.failed > 0 && outcome.failed == outcome.total) co_return refused_import(outcome);
  co_return http::json(200, json::object([&](json::ObjectWriter& answer) {
                         answer.text("status", outcome.status()).raw("stats", outcome.stats());
                         answer.raw("errors", errors_json(outcome.errors));
                       }));
}

Answered sync_source_to_target(Invocation& in, Call call) {
  SourceId source{call.ids[0]};
  TargetId target{call.ids[1]};
  Result<Parameters> parameters = read_parameters(call);
  Status empty = read_nothing(in, call);
  if (!parameters.ok() || !empty.ok()) {
    // Ids that do not exist go before a query or a body that does not fit.
    CO_TRY([[maybe_unused]] auto from,
           co_await flow::find_side(in, call.tenant, Side::source, source.value));
    CO_TRY([[maybe_unused]] auto to,
           co_await flow::find_side(in, call.tenant, Side::target, target.value));
    co_return parameters.ok() ? empty.error() : parameters.error();
  }
  CO_TRY(flow::SyncOutcome outcome, co_await flow::sync_pair(in, call.tenant, source, target));
  co_return http::json(200, json::object([&](json::ObjectWriter& answer) {
                         answer.text("status", "success").raw("stats", outcome.stats);
                         answer.text("delivery", "none").text("sync_id", outcome.sync_id);
                       }));
}

Answered clean_up(Invocation& in, Call call) {
  CO_TRY(Parameters parameters, read_parameters(call));
  CO_TRY([[maybe_unused]] Unit empty, read_nothing(in, call));
  int64_t days = flow::retention_days(in.deployment());
  if (auto given = parameters.find("days"); given != parameters.end()) {
    CO_TRY(days, read_integer("days", given->second, 0, kMaxRetentionDays));
  }
  CO_TRY(std::string deleted, co_await flow::clean_up(in, call.tenant, in.now() - days * kDayMs));
  co_return http::json(200, json::object([&](json::ObjectWriter& answer) {
                         answer.text("status", "success").raw("deleted", deleted);
                       }));
}

}  // namespace sm::api
