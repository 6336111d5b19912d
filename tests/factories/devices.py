"""Devices the short way."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from domains.devices.models import Device
from domains.kernel import clock


async def device(
    compound_id: UUID,
    kind: str = "door",
    building_id: UUID | None = None,
    **more: Any,  # Any: columns
) -> UUID:
    """A device in service; its id."""
    columns: dict[str, Any] = {  # Any: columns
        "code": secrets.token_hex(6),
        "name": "测试设备",
        "state": "in_service",
        "recorded_at": clock.now(),
    }
    made = await Device.create(compound_id=compound_id, building_id=building_id, kind=kind, **columns | more)
    return made.id
