// The handlers that the route table (routes.cc) names, one file for each resource.
#pragma once

#include "core/api/call.h"

namespace sm::api {

using Answered = Task<Result<http::Response>>;

// pages.cc
Answered show_start_page(Invocation& in, Call call);
Answered show_docs(Invocation& in, Call call);
Answered show_docs_file(Invocation& in, Call call);
Answered show_openapi(Invocation& in, Call call);
Answered show_health(Invocation& in, Call call);

// tenants.cc
Answered create_tenant(Invocation& in, Call call);
Answered show_tenant(Invocation& in, Call call);
Answered list_keys(Invocation& in, Call call);
Answered create_key(Invocation& in, Call call);
Answered revoke_key(Invocation& in, Call call);

// sides.cc
Answered list_sides(Invocation& in, Call call);
Answered create_side(Invocation& in, Call call);
Answered show_side(Invocation& in, Call call);
Answered change_side(Invocation& in, Call call);
Answered delete_side(Invocation& in, Call call);

// properties.cc
Answered list_properties(Invocation& in, Call call);
Answered show_property(Invocation& in, Call call);
Answered edit_property(Invocation& in, Call call);
Answered remove_property(Invocation& in, Call call);
Answered list_snapshots(Invocation& in, Call call);

// operations.cc
Answered import_properties(Invocation& in, Call call);
Answered sync_source_to_target(Invocation& in, Call call);
Answered clean_up(Invocation& in, Call call);

// logs.cc
Answered list_logs(Invocation& in, Call call);

}  // namespace sm::api
