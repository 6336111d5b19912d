"""Reads of device keys (设备密钥)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domains.devices import permissions
from domains.devices.signatures import KnownKey
from domains.kernel import database
from domains.kernel.actor import Actor

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A key of a device; `key_id` is what it names itself by when it signs."""

    key_id: str
    issued_at: datetime
    revoked_at: datetime | None


FIND = """
SELECT d.id AS device_id, d.compound_id, k.public_key FROM device_key k JOIN device d ON d.id = k.device_id
WHERE k.key_id = $1 AND k.revoked_at IS NULL AND d.state <> 'retired'
"""

OF_DEVICES = """
SELECT d.id AS device_id, k.* FROM device d CROSS JOIN LATERAL (
    SELECT key_id, issued_at, revoked_at FROM device_key WHERE device_id = d.id
    ORDER BY revoked_at IS NOT NULL, issued_at DESC, id LIMIT $4) AS k
WHERE d.id = ANY($1::uuid[]) AND (d.compound_id = ANY($2::uuid[]) OR d.building_id = ANY($3::uuid[]))
"""


async def find(key_id: str) -> KnownKey | None:
    """The key in use of this id, of a device that is not retired: read for every request, so that one that is
    revoked counts for none after it."""
    row = await database.fetchrow(FIND, key_id)
    return None if row is None else KnownKey(row["device_id"], row["compound_id"], row["public_key"])


async def of_devices(actor: Actor, device_ids: Sequence[UUID]) -> Mapping[UUID, list[DeviceKey]]:
    """Keys of those devices the caller may see, those in use first; at most 20 of each."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(OF_DEVICES, device_ids, reach.compounds, reach.buildings, MOST_SHOWN)
    found: defaultdict[UUID, list[DeviceKey]] = defaultdict(list)
    for row in rows:
        found[row["device_id"]].append(DeviceKey(row["key_id"], row["issued_at"], row["revoked_at"]))
    return found
