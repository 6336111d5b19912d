"""What every command on a device begins with: finding it, authority over it, and its turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from domains.devices import permissions
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns
from domains.kernel.errors import Conflict, NotFound

# Not the key: readings and alarms that point at it do not wait.
OPEN = "SELECT * FROM device WHERE id = $1 FOR NO KEY UPDATE"


@dataclass(frozen=True, slots=True)
class Opened:
    """A device as it was found, with all its columns."""

    compound_id: UUID
    state: str
    columns: Mapping[str, object]


async def open_device(actor: Actor, device_id: UUID, *, allow_retired: bool = False) -> Opened:
    """A device the caller may write to, until the end of the transaction nobody else's.

    Raises NotFound DEVICE_NOT_FOUND, Conflict DEVICE_RETIRED.
    """
    row = await database.fetchrow(OPEN, device_id)
    if row is None:
        raise NotFound("DEVICE_NOT_FOUND", "没有找到这台设备,请刷新后重试", "device")
    concerns("Device", device_id, row["compound_id"])
    require(actor, row["compound_id"], row["building_id"], device_id)
    if row["state"] == "retired" and not allow_retired:
        raise Conflict("DEVICE_RETIRED", "设备已经报废,不能再修改", "device")
    return Opened(row["compound_id"], row["state"], dict(row))


def require(actor: Actor, compound_id: UUID, building_id: UUID | None, device_id: UUID) -> None:
    """Refuse who may not write there. A device of no building is in nobody's share of the compound."""
    actor.require(permissions.WRITE, compound_id, building_id or device_id)
