#include <array>

#include "core/api/handlers.h"
#include "core/flow/cleanup.h"
#include "core/flow/deployment.h"
#include "core/flow/health.h"
#include "core/flow/quotas.h"
#include "core/flow/rates.h"
#include "core/json/writer.h"

namespace sm::api {
namespace {

// Files that the pages refer to, of host/public and of swagger-ui-dist.
struct DocsFile {
  std::string_view path;
  std::string_view type;
};
constexpr std::array<DocsFile, 4> kDocsFiles = {{
    {"/docs/swagger-ui.css", "text/css; charset=utf-8"},
    {"/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
    {"/docs/init.js", "text/javascript; charset=utf-8"},
    {"/start.js", "text/javascript; charset=utf-8"},
}};

void append_texts(std::string& json, const std::vector<std::string_view>& texts) {
  json::ListWriter list(json);
  for (std::string_view text : texts) json::append_quoted(list.element(), text);
  list.end();
}

}  // namespace

ResponseTask show_start_page(Invocation&, Call) {
  co_return http::asset("/index.html", "text/html; charset=utf-8");
}

ResponseTask show_docs(Invocation&, Call) {
  co_return http::asset("/docs.html", "text/html; charset=utf-8");
}

ResponseTask show_docs_file(Invocation&, Call call) {
  for (const DocsFile& file : kDocsFiles) {
    if (file.path == call.route->path)
      co_return http::asset(std::string(file.path), std::string(file.type));
  }
  co_return not_found();
}

ResponseTask show_openapi(Invocation&, Call) {
  co_return http::asset("/openapi.json", "application/json");
}

ResponseTask show_health(Invocation& in, Call) {
  bool store_ok = co_await flow::store_works(in);
  std::vector<std::string_view> missing;
  std::vector<std::string_view> invalid;
  for (const flow::SecretRule& rule : flow::kSecretRules) {
    flow::SecretState state = flow::state_of(in.deployment(), rule);
    bool needed = rule.need == flow::SecretRule::Need::required;
    if (state == flow::SecretState::missing && needed) missing.push_back(rule.name);
    if (state == flow::SecretState::wrong_size) invalid.push_back(rule.name);
  }
  if (!flow::has_valid_retention(in.deployment())) invalid.push_back("RETENTION_DAYS");
  for (const flow::Allowance& quota : flow::kQuotas) {
    if (!flow::is_valid(in.deployment(), quota)) invalid.push_back(quota.variable);
  }
  for (const flow::Allowance& rate : flow::kRates) {
    if (!flow::is_valid(in.deployment(), rate)) invalid.push_back(rate.variable);
  }
  if (!co_await flow::counts_requests(in)) missing.push_back("REQUEST_RATE");
  bool ok = store_ok && missing.empty() && invalid.empty();
  std::string json = json::object([&](json::ObjectWriter& health) {
    health.text("status", ok ? "ok" : "degraded").text("version", SM_VERSION);
    json::ObjectWriter(health.key("store"))
        .text("kind", in.deployment().store_kind)
        .boolean("ok", store_ok)
        .end();
    if (!missing.empty()) append_texts(health.key("missing"), missing);
    if (!invalid.empty()) append_texts(health.key("invalid"), invalid);
  });
  co_return http::json_unstored(ok ? 200 : 503, std::move(json));
}

}  // namespace sm::api
