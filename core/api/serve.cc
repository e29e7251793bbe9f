#include "core/api/serve.h"

#include <algorithm>

#include "core/api/call.h"
#include "core/base/limits.h"
#include "core/flow/access.h"
#include "core/flow/body.h"
#include "core/flow/rates.h"

namespace sm::api {
namespace {

struct Match {
  const Route* route = nullptr;
  std::vector<int64_t> ids;
  std::string allow;  // the methods of the path, empty for an unknown path
};

// The ids of a path that fits a route's pattern segment by segment.
std::optional<std::vector<int64_t>> match_path(std::string_view pattern, std::string_view path) {
  std::vector<int64_t> ids;
  while (!pattern.empty() && !path.empty()) {
    size_t pattern_end = std::min(pattern.find('/', 1), pattern.size());
    size_t path_end = std::min(path.find('/', 1), path.size());
    std::string_view expected = pattern.substr(0, pattern_end);
    std::string_view given = path.substr(0, path_end);
    if (expected.size() > 1 && expected[1] == '{') {
      auto id = http::parse_id(given.substr(1));
      if (!id) return std::nullopt;
      ids.push_back(*id);
    } else if (expected != given) {
      return std::nullopt;
    }
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return ids;
}

Match find_route(const http::Request& request) {
  Match match;
  std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const Route& route : routes()) {
    auto ids = match_path(route.path, request.path());
    if (!ids) continue;
    match.allow += match.allow.empty() ? "" : ", ";
    match.allow += route.method;
    if (route.method == "GET") match.allow += ", HEAD";
    if (route.method == method) {
      match.route = &route;
      match.ids = std::move(*ids);
    }
  }
  if (!match.allow.empty()) match.allow += ", OPTIONS";
  return match;
}

Status check_media(const Route& route, const http::Request& request) {
  auto encoding = request.header("content-encoding");
  if (encoding && http::media_type(*encoding) != "identity") {
    return Error{ErrorCode::unsupported_media, "Send the body without Content-Encoding."};
  }
  auto content_type = request.header("content-type");
  if (!content_type) return Unit{};
  std::string type = http::media_type(*content_type);
  // curl sends the second one unless it is told otherwise; the body is JSON all the same.
  if (type.empty() || type == "application/json" || type == "application/x-www-form-urlencoded") {
    return Unit{};
  }
  if (!route.body.media_type.empty() && type == route.body.media_type) return Unit{};
  std::string detail = "Send the body as " + std::string(kJsonMediaType);
  if (!route.body.media_type.empty()) detail += " or " + std::string(route.body.media_type);
  return Error{ErrorCode::unsupported_media, detail + "."};
}

std::vector<Effect> one(Effect effect) {
  std::vector<Effect> effects;
  effects.push_back(std::move(effect));
  return effects;
}

bool may_have_body(const Route& route) { return route.method != "GET"; }

// What can be refused of a body before any of it is read.
Status check_body(const Route& route, const http::Request& request) {
  if (!may_have_body(route)) return Unit{};
  TRY([[maybe_unused]] Unit media, check_media(route, request));
  return flow::check_announced_size(request, route.body.limit);
}

bool reads_body(const Route& route, const http::Request& request) {
  return may_have_body(route) && request.has_body && route.body.reading != Body::Reading::streamed;
}

// What does not fit in the query and the body, in one answer.
Error misfit(const Result<Arguments>& arguments, const Result<Members>& members) {
  if (arguments.ok()) return members.error();
  if (members.ok() || members.error().code != ErrorCode::invalid) return arguments.error();
  FieldErrors fields = arguments.error().fields;
  fields.add(members.error().fields);
  return invalid_body(std::move(fields));
}

// Query and body become values, and the handler runs. Where something does not fit, or the handler
// found a row of the path missing, the path's parent tells which: a 404 goes before a 422.
Task<Result<http::Response>> handle(Invocation& in, Call call, std::string body) {
  const Route& route = *call.route;
  TenantId tenant = call.tenant;
  std::vector<int64_t> ids = call.ids;
  Result<Arguments> arguments = route.access == Access::open
                                    ? Result<Arguments>(Arguments())
                                    : read_arguments(route.parameters, call.request.raw_query());
  Result<Members> members = read_members(route, std::move(body));
  if (!arguments.ok() || !members.ok()) {
    CO_TRY([[maybe_unused]] Unit found, co_await flow::find_parent(in, tenant, route.parent, ids));
    co_return misfit(arguments, members);
  }
  call.arguments = std::move(arguments).value();
  call.members = std::move(members).value();
  Result<http::Response> response = co_await route.handler(in, std::move(call));
  if (!response.ok() && response.error().code == ErrorCode::not_found) {
    CO_TRY([[maybe_unused]] Unit found, co_await flow::find_parent(in, tenant, route.parent, ids));
  }
  co_return response;
}

Task<Result<http::Response>> answer(Invocation& in, http::Request request) {
  Match match = find_route(request);
  if (match.allow.empty()) co_return Error{ErrorCode::not_found, "There is nothing at this path."};
  if (request.method == "OPTIONS") {
    co_return http::with_header(http::no_content(204), "allow", match.allow);
  }
  if (match.route == nullptr) {
    co_return http::with_header(http::problem({ErrorCode::method_not_allowed,
                                               "This path answers to: " + match.allow + "."}),
                                "allow", match.allow);
  }
  const Route& route = *match.route;
  Call call{&route, std::move(request), {}, std::move(match.ids), {}, {}};
  if (route.access == Access::key) {
    flow::Use use = route.method == "GET" ? flow::Use::read : flow::Use::write;
    CO_TRY(call.tenant, co_await flow::tenant_of_key(in, call.request.header("x-api-key"), use,
                                                     call.request.address));
    if (use == flow::Use::write) flow::take_turns(in, call.tenant);
  } else if (route.access != Access::open) {
    CO_TRY([[maybe_unused]] Unit counted,
           co_await flow::count_request(in, flow::counted_address(call.request.address)));
    auto check = route.access == Access::signup ? flow::check_signup : flow::check_administrator;
    CO_TRY([[maybe_unused]] Unit allowed,
           check(in.deployment(), call.request.header("authorization")));
  }
  CO_TRY([[maybe_unused]] Unit acceptable, check_body(route, call.request));
  std::string body;
  if (reads_body(route, call.request)) {
    uint64_t announced = flow::announced_size(call.request, route.body.limit);
    // Nobody is waited for who may not call.
    if (!call.request.arrived || announced > kUncheckedBodyBytes) {
      CO_TRY([[maybe_unused]] Unit admitted, co_await flow::admit(in));
    }
    CO_TRY(body, co_await flow::read_body(in, announced, route.body.limit));
  }
  co_return co_await handle(in, std::move(call), std::move(body));
}

Effect last_effect(http::Response& response) {
  using Form = http::Response::Form;
  if (response.form == Form::streamed_whole) return End{};
  if (response.form == Form::streamed_broken) return Abort{};
  return std::move(response.respond);
}

}  // namespace

Task<std::vector<Effect>> serve(Invocation& in, http::Request request) {
  bool head = request.method == "HEAD";
  Result<http::Response> result = co_await answer(in, std::move(request));
  // Whatever a handler gave, it counts for those alone who may call; a call that failed for want of
  // the store keeps its own failure.
  bool failed = !result.ok() && error_info(result.error().code).status >= 500;
  if (!failed || in.refusal()) {
    Result<Unit> admitted = co_await flow::admit(in);
    if (!admitted.ok()) result = std::move(admitted).error();
  }
  http::Response response = result.ok() ? std::move(result).value() : http::problem(result.error());
  // The host knows the tag of a static file, and that nobody wants its bytes.
  bool file = response.respond.body == Respond::Body::asset;
  if (head && !file && response.form == http::Response::Form::complete) {
    response.respond.body = Respond::Body::none;
    response.respond.content.clear();
  }
  co_return co_await finish(in, std::move(response));
}

Task<std::vector<Effect>> finish(Invocation& in, http::Response response) {
  std::vector<Statement> put_off = in.take_put_off();
  if (!response.afterwards && put_off.empty()) co_return one(last_effect(response));
  // A client that has left does not stop what it was promised.
  [[maybe_unused]] auto sent = co_await in.perform(one(last_effect(response)));
  Result<Unit> done = Unit{};
  if (response.afterwards) done = co_await std::move(*response.afterwards);
  if (!put_off.empty()) co_await flow::write_put_off(in, std::move(put_off));
  if (done.ok()) co_return std::vector<Effect>();
  std::string what(error_info(done.error().code).type);
  co_return one(Log{"error", "behind the answer: " + what + ": " + done.error().detail});
}

http::Response trap_response() {
  return http::problem(
      {ErrorCode::internal,
       "This is a fault of the service, not of the request. It was not carried out."});
}

http::Response trap_after_batch_response() {
  return http::problem({ErrorCode::internal,
                        "This is a fault of the service, not of the request. Whether it was "
                        "carried out is not known: look before you try again."});
}

http::Response overloaded_response() {
  return http::problem({ErrorCode::overloaded, "The service is busy. Try again in a moment."});
}

}  // namespace sm::api
