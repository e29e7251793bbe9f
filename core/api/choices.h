// The values of members and parameters that are one of several: named once, for what is checked,
// what is filtered by and what the API document tells.
#pragma once

#include <string_view>

namespace sm::api {

inline constexpr std::string_view kSourceTypes[] = {"json", "scraped", "manual", "api"};
inline constexpr std::string_view kTargetTypes[] = {"internal", "website", "api", "database",
                                                    "ftp",      "file",    "cms"};
inline constexpr std::string_view kSyncStatuses[] = {"synced", "manual", "conflict", "removed"};
inline constexpr std::string_view kLogStatuses[] = {"running", "success", "partial", "failed"};
inline constexpr std::string_view kLogTypes[] = {"import",   "sync",    "push",   "cleanup",
                                                 "rollback", "resolve", "manual", "scheduled"};
inline constexpr std::string_view kKeyScopes[] = {"full", "read"};
inline constexpr std::string_view kImportModes[] = {"upsert", "full"};
inline constexpr std::string_view kImportStatuses[] = {"success", "partial"};
inline constexpr std::string_view kDeliveries[] = {"none", "pending"};
inline constexpr std::string_view kHealth[] = {"ok", "degraded"};
inline constexpr std::string_view kSuccess[] = {"success"};
inline constexpr std::string_view kDeleted[] = {"deleted"};

}  // namespace sm::api
