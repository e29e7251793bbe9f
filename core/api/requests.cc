#include "core/api/requests.h"

#include "core/api/choices.h"

namespace sm::api {
namespace {

using Kind = RequestField::Kind;
using Need = RequestField::Need;

constexpr std::string_view kConfigDoc =
    "Free JSON, given back as it is; the members named here are checked. Secrets are stored "
    "encrypted and come back as ********.";
constexpr std::string_view kConfigPatchDoc =
    "Merged into the stored configuration (RFC 7396): null drops a member, ******** keeps a secret "
    "as it is.";

constexpr RequestField kNewTenantFields[] = {
    {.name = "name", .kind = Kind::name},
    {.name = "api_key",
     .kind = Kind::key,
     .need = Need::optional,
     .doc = "A key of your own: 32 to 128 of [A-Za-z0-9._~-], random, not beginning with sm_. One "
            "is made where it lacks."}};
constexpr RequestField kNewKeyFields[] = {
    {.name = "name", .kind = Kind::name, .need = Need::optional},
    {.name = "scope",
     .kind = Kind::choice,
     .need = Need::optional,
     .doc = "read: every write is refused. full where it lacks.",
     .choices = kKeyScopes},
    {.name = "expires_at",
     .kind = Kind::time,
     .need = Need::optional,
     .doc = "When the key stops to open anything, in the future. Never where it lacks."}};
constexpr RequestField kNewSourceFields[] = {
    {.name = "name", .kind = Kind::name},
    {.name = "type", .kind = Kind::choice, .choices = kSourceTypes},
    {.name = "config", .kind = Kind::source_config, .need = Need::optional, .doc = kConfigDoc}};
constexpr RequestField kNewTargetFields[] = {
    {.name = "name", .kind = Kind::name},
    {.name = "type", .kind = Kind::choice, .choices = kTargetTypes},
    {.name = "config", .kind = Kind::target_config, .need = Need::optional, .doc = kConfigDoc}};
constexpr RequestField kSourcePatchFields[] = {
    {.name = "name", .kind = Kind::name, .need = Need::optional},
    {.name = "config",
     .kind = Kind::source_config,
     .need = Need::nullable,
     .doc = kConfigPatchDoc}};
constexpr RequestField kTargetPatchFields[] = {
    {.name = "name", .kind = Kind::name, .need = Need::optional},
    {.name = "config",
     .kind = Kind::target_config,
     .need = Need::nullable,
     .doc = kConfigPatchDoc}};
constexpr RequestField kImportFields[] = {
    {.name = "data",
     .kind = Kind::items,
     .doc = "Properties: any JSON objects. What identifies one stands at the source's "
            "config.id_field, else under external_id, else under id."}};
constexpr RequestField kEditFields[] = {
    {.name = "data",
     .kind = Kind::object,
     .doc = "Merged into the property's data (RFC 7396): null drops a member."}};

}  // namespace

const RequestShape kNewTenantShape{"NewTenant", kNewTenantFields, R"({"name":"Harbour Homes"})"};
const RequestShape kNewKeyShape{"NewKey", kNewKeyFields, R"({"name":"Report","scope":"read"})"};
const RequestShape kNewSourceShape{
    "NewSource", kNewSourceFields,
    R"({"name":"MLS feed","type":"json","config":{"max_removed_ratio":0.2}})"};
const RequestShape kNewTargetShape{
    "NewTarget", kNewTargetFields,
    R"({"name":"Website","type":"website","config":{"on_removed":"delete"}})"};
const RequestShape kSourcePatchShape{
    "SourcePatch", kSourcePatchFields,
    R"({"name":"MLS feed, north","config":{"max_removed_ratio":0.5}})"};
const RequestShape kTargetPatchShape{
    "TargetPatch", kTargetPatchFields,
    R"({"name":"Website, north","config":{"conflict_policy":"source_wins"}})"};
const RequestShape kImportShape{
    "Import", kImportFields,
    R"({"data":[{"id":"A-1001","price":350000},{"id":"A-1002","price":425000}]})"};
const RequestShape kEditShape{"Edit", kEditFields, R"({"data":{"price":345000}})"};

}  // namespace sm::api
