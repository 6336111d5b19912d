"""Gates as their devices know them (道闸): which door a device is, and by which rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domains.access.community import Rules, rules_of
from domains.access.rules import Direction, Method
from domains.kernel import database
from domains.kernel.errors import NotFound

ON_THE_WAY = """d.compound_id = h.compound_id AND (d.building_id IS NULL OR d.building_id = h.building_id)
    AND (d.unit_id IS NULL OR d.unit_id = h.unit_id)"""
"""Whether a door `d` leads to a house `h`: the compound's own, and those of its building and unit."""

OF_DEVICE = """
SELECT d.id, d.device_id, d.compound_id, d.building_id, d.number, d.kind, d.direction, d.methods, d.needs_screen, d.mode
FROM door d WHERE d.device_id = $1 AND d.removed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class GateDoor:
    """The door that a calling device is, and the rules of its compound."""

    id: UUID
    device_id: UUID
    compound_id: UUID
    building_id: UUID | None
    number: int
    kind: str
    direction: str
    methods: Sequence[Method]
    needs_screen: bool
    mode: str
    rules: Rules

    @property
    def is_inner(self) -> bool:
        """Whether it comes after the compound's own gates on a visitor's way."""
        return self.building_id is not None

    def direction_of(self, said: Direction) -> Direction:
        """Which way somebody goes: a door of one way knows, at another the reader says."""
        return "in" if self.direction == "in" else "out" if self.direction == "out" else said


async def of_device(device_id: UUID) -> GateDoor:
    """The door of a device. Raises GATE_UNKNOWN."""
    row = await database.fetchrow(OF_DEVICE, device_id)
    if row is None:
        raise NotFound("GATE_UNKNOWN", "这台设备没有登记为门禁点位,请联系物业登记")
    return GateDoor(**row, rules=await rules_of(row["compound_id"]))
