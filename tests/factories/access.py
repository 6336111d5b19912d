"""Doors and passes the short way."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from domains.access import sealed
from domains.access.models import AccessRecord, Door, VisitorPass
from domains.kernel import clock, database
from tests.factories import devices

NUMBER = "SELECT coalesce(max(number), 0) + 1 FROM door WHERE compound_id = $1"


async def door(
    compound_id: UUID,
    name: str = "南门",
    building_id: UUID | None = None,
    unit_id: UUID | None = None,
    **more: Any,  # Any: columns
) -> UUID:
    """A door with a controller of its own: of a unit or building where one is given, else of the compound; its id."""
    kind = "unit_door" if building_id else "gate"
    columns: dict[str, Any] = {
        "device_id": await devices.device(compound_id, "door", building_id),
        "number": await database.fetchval(NUMBER, compound_id), "kind": kind, "direction": "both",
        "methods": ["app", "qr", "code"], "recorded_at": clock.now(),
    }  # fmt: skip
    made = await Door.create(
        compound_id=compound_id, building_id=building_id, unit_id=unit_id, name=name, **columns | more
    )
    return made.id


async def visitor_pass(
    compound_id: UUID,
    house_id: UUID,
    host_id: UUID | None = None,
    **more: Any,  # Any: columns
) -> UUID:
    """A pass that counts from now for two hours, once; its id."""
    now = clock.now()
    columns: dict[str, Any] = {
        "origin": "host", "state": "active", "guest_name": "王来访", "purpose": "visit", "starts_at": now,
        "ends_at": now + timedelta(hours=2), "uses_allowed": 1, "requested_at": now, "decided_at": now,
        **sealed.link_columns(secrets.token_urlsafe(16)),
    }  # fmt: skip
    made = await VisitorPass.create(
        compound_id=compound_id, house_id=house_id, host_id=host_id, **columns | more
    )
    return made.id


async def record(door_id: UUID, **more: Any) -> UUID:  # Any: columns
    """An opening by phone now; its id."""
    now = clock.now()
    place = await Door.get(pk=door_id).values("compound_id", "building_id")
    columns: dict[str, Any] = {
        "at": now, "received_at": now, "direction": "in", "method": "app", "result": "opened", "who": "张建国",
    }  # fmt: skip
    made = await AccessRecord.create(door_id=door_id, **place, **columns | more)
    return made.id
