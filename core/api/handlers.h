// The handlers that the route table (routes.cc) names, one file for each resource.
#pragma once

#include "core/api/call.h"

namespace sm::api {

using ResponseTask = Task<Result<http::Response>>;

// pages.cc
ResponseTask show_start_page(Invocation& in, Call call);
ResponseTask show_docs(Invocation& in, Call call);
ResponseTask show_docs_file(Invocation& in, Call call);
ResponseTask show_openapi(Invocation& in, Call call);
ResponseTask show_health(Invocation& in, Call call);

// tenants.cc
ResponseTask create_tenant(Invocation& in, Call call);
ResponseTask show_tenant(Invocation& in, Call call);
ResponseTask list_tenants(Invocation& in, Call call);
ResponseTask suspend_tenant(Invocation& in, Call call);
ResponseTask resume_tenant(Invocation& in, Call call);
ResponseTask create_key_for_tenant(Invocation& in, Call call);
ResponseTask list_keys(Invocation& in, Call call);
ResponseTask create_key(Invocation& in, Call call);
ResponseTask revoke_key(Invocation& in, Call call);

// connectors.cc
ResponseTask list_connectors(Invocation& in, Call call);
ResponseTask create_connector(Invocation& in, Call call);
ResponseTask show_connector(Invocation& in, Call call);
ResponseTask change_connector(Invocation& in, Call call);
ResponseTask delete_connector(Invocation& in, Call call);

// properties.cc
ResponseTask list_properties(Invocation& in, Call call);
ResponseTask show_property(Invocation& in, Call call);
ResponseTask edit_property(Invocation& in, Call call);
ResponseTask remove_property(Invocation& in, Call call);
ResponseTask list_snapshots(Invocation& in, Call call);

// operations.cc
ResponseTask import_properties(Invocation& in, Call call);
ResponseTask sync_source_to_target(Invocation& in, Call call);
ResponseTask clean_up(Invocation& in, Call call);

// logs.cc
ResponseTask list_logs(Invocation& in, Call call);

}  // namespace sm::api
