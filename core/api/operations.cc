#include <cstdlib>

#include "core/api/handlers.h"
#include "core/base/limits.h"
#include "core/flow/cleanup.h"
#include "core/flow/import.h"
#include "core/flow/sides.h"
#include "core/flow/sync.h"
#include "core/json/cursor.h"

namespace sm::api {
namespace {

std::optional<uint64_t> announced_bytes(const http::Request& request) {
  auto length = request.header("content-length");
  if (!length) return std::nullopt;
  return std::strtoull(std::string(*length).c_str(), nullptr, 10);
}

std::string errors_json(const std::map<size_t, sync::ImportError>& errors) {
  std::string json = "[";
  for (const auto& [index, error] : errors) {
    json += json.size() > 1 ? "," : "";
    json += "{\"index\":" + std::to_string(index) + ",\"external_id\":";
    json += error.external_id ? json::quote(*error.external_id) : "null";
    json += ",\"detail\":" + json::quote(error.detail) + "}";
  }
  return json + "]";
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
  co_return http::json(200, "{\"status\":\"" + std::string(outcome.status()) +
                                "\",\"stats\":" + outcome.stats() +
                                ",\"errors\":" + errors_json(outcome.errors) + "}");
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
  co_return http::json(
      200, "{\"status\":\"success\",\"stats\":" + outcome.stats +
               ",\"delivery\":\"none\",\"sync_id\":" + json::quote(outcome.sync_id) + "}");
}

Answered clean_up(Invocation& in, Call call) {
  CO_TRY(Parameters parameters, read_parameters(call));
  CO_TRY([[maybe_unused]] Unit empty, read_nothing(in, call));
  int64_t days = flow::retention_days(in.deployment());
  if (auto given = parameters.find("days"); given != parameters.end()) {
    CO_TRY(days, read_integer("days", given->second, 0, kMaxRetentionDays));
  }
  CO_TRY(std::string deleted, co_await flow::clean_up(in, call.tenant, in.now() - days * kDayMs));
  co_return http::json(200, "{\"status\":\"success\",\"deleted\":" + deleted + "}");
}

}  // namespace sm::api
