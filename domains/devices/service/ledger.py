"""The asset ledger (资产台账): what happened to a device, line by line, over its whole life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from domains.devices import facts, permissions
from domains.devices.models import AssetEntry
from domains.devices.service.reaching import open_device
from domains.kernel import clock, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Invalid
from domains.kernel.ids import uuid7

Work = Literal["inspected", "maintained", "repaired", "part_replaced"]
MOST_FEN = 10_000_000_000
"""A hundred million yuan: beyond it somebody has slipped."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line to write; `cost_fen` is what was paid, in fen."""

    kind: str
    note: str = ""
    on_day: date | None = None
    vendor: str = ""
    cost_fen: int | None = None


async def write(actor: Actor, device_id: UUID, *lines: Line) -> Sequence[UUID]:
    """Add lines in the open transaction, of today where they give no day. Raises Invalid AMOUNT_OUT_OF_RANGE,
    DAY_OUT_OF_RANGE or a TEXT_ code."""
    entries = [_entry(actor, device_id, line) for line in lines]
    await AssetEntry.bulk_create(entries)
    return [entry.id for entry in entries]


@command("device.record_entry", caller="staff", permission=permissions.WRITE)
async def record_asset_entry(
    actor: Actor,
    *,
    device_id: UUID,
    kind: Work,
    on_day: date | None = None,
    note: str = "",
    vendor: str = "",
    cost_fen: int | None = None,
    idempotency_key: UUID | None = None,
) -> UUID:
    """Record work on a device (巡检、维保、维修、更换部件); bills come late, so that it may be retired already.

    Raises DEVICE_NOT_FOUND and what `write` raises.
    """
    device = await open_device(actor, device_id, allow_retired=True)
    concerns("Device", device_id, device.compound_id, entry=kind, cost_fen=cost_fen)
    [id] = await write(actor, device_id, Line(kind, note, on_day, vendor, cost_fen))
    return id


def _entry(actor: Actor, device_id: UUID, line: Line) -> AssetEntry:
    if line.cost_fen is not None and not 0 <= line.cost_fen <= MOST_FEN:
        raise Invalid("AMOUNT_OUT_OF_RANGE", "金额应在 0 到 1 亿元之间,请检查", "cost_fen")
    return AssetEntry(
        id=uuid7(),
        device_id=device_id,
        kind=line.kind,
        on_day=facts.past_day(line.on_day or clock.today(), "on_day"),
        note=text.clean(line.note, max_length=300, min_length=0, multiline=True, field="note"),
        vendor=text.clean(line.vendor, max_length=60, min_length=0, field="vendor"),
        cost_fen=line.cost_fen,
        recorded_at=clock.now(),
        recorded_by=actor.account_id,
    )
