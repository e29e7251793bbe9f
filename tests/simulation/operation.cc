#include "tests/simulation/operation.h"

namespace simulation {
namespace {

std::string connector_path(Which connector, int64_t id) {
  return "/" + plural(connector) + "/" + std::to_string(id);
}

std::string property_path(Which connector, int64_t id, int64_t property) {
  return connector_path(connector, id) + "/properties/" + std::to_string(property);
}

std::string percent_encoded(const std::string& text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    auto code = static_cast<unsigned char>(c);
    if (std::isalnum(code)) {
      encoded += c;
    } else {
      encoded += {'%', kHex[code >> 4], kHex[code & 15]};
    }
  }
  return encoded;
}

std::string body_of(const Import& import) {
  std::string body = import.ndjson ? "" : "{\"data\":[";
  for (size_t i = 0; i < import.items.size(); ++i) {
    if (i > 0 && !import.ndjson) body += ',';
    body += import.items[i].text;
    if (import.ndjson) body += '\n';
  }
  // A list of no lines is a blank one: nothing at all would be taken for one that was cut off.
  if (import.ndjson) return body.empty() ? "\n" : body;
  return body + "]}";
}

// Makes method, path and body of each action.
struct ToRequest {
  HttpCall operator()(const CreateConnector& create) const {
    Json body = {{"name", create.name}, {"type", create.type}, {"config", create.config}};
    return make("POST", "/" + plural(create.connector), body.dump());
  }
  HttpCall operator()(const ChangeConnector& change) const {
    Json body = Json::object();
    if (change.name) body["name"] = *change.name;
    if (change.config) body["config"] = *change.config;
    return make("PATCH", connector_path(change.connector, change.id), body.dump());
  }
  HttpCall operator()(const DeleteConnector& gone) const {
    return make("DELETE", connector_path(gone.connector, gone.id));
  }
  HttpCall operator()(const Import& import) const {
    std::string query = import.full ? "?mode=full" : "";
    if (import.force) query += query.empty() ? "?force=true" : "&force=true";
    HttpCall call = make("POST", connector_path(Which::source, import.source) + "/import" + query,
                         body_of(import));
    call.request.has_body = true;
    if (import.ndjson) call.request.headers.emplace_back("content-type", "application/x-ndjson");
    return call;
  }
  HttpCall operator()(const RemoveProperty& gone) const {
    return make("DELETE", property_path(Which::source, gone.source, gone.property));
  }
  HttpCall operator()(const Sync& sync) const {
    return make("POST", "/sync/" + std::to_string(sync.source) + "/" + std::to_string(sync.target));
  }
  HttpCall operator()(const Edit& edit) const {
    return make("PATCH", property_path(Which::target, edit.target, edit.property),
                Json{{"data", edit.patch}}.dump());
  }
  HttpCall operator()(const Cleanup& cleanup) const {
    return make("POST",
                cleanup.days ? "/cleanup?days=" + std::to_string(*cleanup.days) : "/cleanup");
  }
  HttpCall operator()(const Read& read) const {
    return make("GET", path_of(read) + query_of(read));
  }
  HttpCall operator()(const Wake& wake) const { return make("wake", time_text(wake.scheduled)); }

 private:
  static HttpCall make(std::string method, std::string target, std::string body = {}) {
    bool has_body = !body.empty();
    return {{std::move(method), std::move(target), {}, has_body}, std::move(body)};
  }

  static std::string path_of(const Read& read) {
    switch (read.what) {
      case Read::What::connector:
        return connector_path(read.connector, read.id);
      case Read::What::connectors:
        return "/" + plural(read.connector);
      case Read::What::properties:
        return connector_path(read.connector, read.id) + "/properties";
      case Read::What::property:
        return property_path(read.connector, read.id, read.property);
      case Read::What::snapshots:
        return property_path(read.connector, read.id, read.property) + "/snapshots";
      case Read::What::logs:
        return "/logs";
    }
    return {};
  }

  static std::string query_of(const Read& read) {
    std::string query;
    auto add = [&](const char* name, const std::string& value) {
      query += std::string(query.empty() ? "?" : "&") + name + "=" + value;
    };
    if (read.limit) add("limit", std::to_string(*read.limit));
    if (read.external_id) add("external_id", percent_encoded(*read.external_id));
    if (read.flag) {
      add(read.connector == Which::source ? "removed" : "has_manual_changes",
          *read.flag ? "true" : "false");
    }
    if (read.since) add("updated_since", time_text(*read.since));
    return query;
  }
};

}  // namespace

std::string plural(Which connector) { return connector == Which::source ? "sources" : "targets"; }

HttpCall http_call(const Operation& operation, const std::string& key) {
  HttpCall call = std::visit(ToRequest{}, operation.action);
  call.request.headers.emplace_back("x-api-key", key);
  return call;
}

std::string describe(const Operation& operation) {
  HttpCall call = std::visit(ToRequest{}, operation.action);
  std::string text = "tenant " + std::to_string(operation.tenant) + ": " + call.request.method +
                     " " + call.request.target;
  if (!call.body.empty()) text += " " + call.body;
  return text;
}

}  // namespace simulation
