#include "core/api/requests.h"

namespace sm::api {
namespace {

using Kind = Field::Kind;
using Need = Field::Need;

constexpr std::string_view kSourceTypes[] = {"json", "scraped", "manual", "api"};
constexpr std::string_view kTargetTypes[] = {"internal", "website", "api", "database",
                                             "ftp",      "file",    "cms"};

constexpr std::string_view kConfigDoc =
    "Free JSON, given back as it is. Secrets (api_key, password, connection, token, secret, and "
    "all under "
    "headers) are stored encrypted and come back as ********.";

constexpr Field kNewTenantFields[] = {{"name", Kind::name},
                                      {"api_key", Kind::key, Need::optional,
                                       "A key of your own: 32 to 128 of [A-Za-z0-9._~-], not "
                                       "beginning with sm_. One is made where it lacks."}};
constexpr Field kNewSourceFields[] = {{"name", Kind::name},
                                      {"type", Kind::choice, Need::required, {}, kSourceTypes},
                                      {"config", Kind::object, Need::optional, kConfigDoc}};
constexpr Field kNewTargetFields[] = {{"name", Kind::name},
                                      {"type", Kind::choice, Need::required, {}, kTargetTypes},
                                      {"config", Kind::object, Need::optional, kConfigDoc}};
constexpr Field kSidePatchFields[] = {
    {"name", Kind::name, Need::optional},
    {"config", Kind::object, Need::nullable,
     "Merged into the stored configuration (RFC 7396); ******** keeps a secret as it is."}};
constexpr Field kImportFields[] = {{"data", Kind::list, Need::required,
                                    "Properties: any JSON objects with an external_id or id."}};
constexpr Field kEditFields[] = {
    {"data", Kind::object, Need::required, "Merged into the property's data (RFC 7396)."}};

}  // namespace

const Shape kNewTenantShape{"NewTenant", kNewTenantFields};
const Shape kNewSourceShape{"NewSource", kNewSourceFields};
const Shape kNewTargetShape{"NewTarget", kNewTargetFields};
const Shape kSidePatchShape{"Patch", kSidePatchFields};
const Shape kImportShape{"Import", kImportFields};
const Shape kEditShape{"Edit", kEditFields};

}  // namespace sm::api
