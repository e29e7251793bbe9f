"""What an integrator does first, through a client that openapi-python-client generated from the document.

The test puts this file beside it, checks the types, and runs it: python python_client.py <origin> <key>
"""

import sys
from typing import TypeVar

from sync_manager import AuthenticatedClient
from sync_manager.api.operations import post_sync_source_id_target_id
from sync_manager.api.properties_of_a_source import post_sources_id_import
from sync_manager.api.properties_of_a_target import (
    get_targets_id_properties,
    patch_targets_id_properties_prop_id,
)
from sync_manager.api.sources import get_sources, post_sources
from sync_manager.api.targets import patch_targets_id, post_targets
from sync_manager.models import (
    Edit,
    EditData,
    GetTargetsIdPropertiesSyncStatus,
    Import,
    ImportDataItem,
    NewSource,
    NewSourceConfig,
    NewSourceType,
    NewTarget,
    NewTargetType,
    PostSourcesIdImportMode,
    Problem,
    TargetPatch,
)

Row = TypeVar("Row")


def given(answer: Row | Problem | None) -> Row:
    """The answer, where it was a success."""
    assert answer is not None and not isinstance(answer, Problem), answer
    return answer


origin, key = sys.argv[1:]
client = AuthenticatedClient(base_url=origin, token=key, prefix="", auth_header_name="X-API-Key")

source = given(
    post_sources.sync(
        client=client,
        body=NewSource(
            name="MLS feed",
            type_=NewSourceType.JSON,
            config=NewSourceConfig(id_field="/ListingKey"),
        ),
    )
)
target = given(
    post_targets.sync(client=client, body=NewTarget(name="Website", type_=NewTargetType.WEBSITE))
)

items = [
    ImportDataItem.from_dict({"ListingKey": "A-1", "price": 350000, "address": {"city": "Kiel"}}),
    ImportDataItem.from_dict({"ListingKey": "A-2", "price": 425000}),
]
imported = given(
    post_sources_id_import.sync(
        source.id, client=client, body=Import(data=items), mode=PostSourcesIdImportMode.FULL
    )
)
assert (imported.stats.created, imported.errors) == (2, []), imported

synced = given(post_sync_source_id_target_id.sync(source.id, target.id, client=client))
assert synced.stats.created == 2, synced
rows = given(
    get_targets_id_properties.sync(
        target.id, client=client, sync_status=GetTargetsIdPropertiesSyncStatus.SYNCED
    )
)
assert [row.external_id for row in rows] == ["A-1", "A-2"], rows
assert rows[0].data["address"] == {"city": "Kiel"}, rows

edit = Edit(data=EditData.from_dict({"price": 345000}))
edited = given(
    patch_targets_id_properties_prop_id.sync(target.id, rows[0].id, client=client, body=edit)
)
assert edited.has_manual_changes and edited.data["price"] == 345000, edited

refused = patch_targets_id.sync(
    target.id, client=client, body=TargetPatch(name="Website, north"), if_match='"another"'
)
assert isinstance(refused, Problem) and refused.status == 412, refused
assert [one.name for one in given(get_sources.sync(client=client))] == ["MLS feed"]
