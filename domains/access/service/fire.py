"""What a fire does to doors (消防联动): the building's doors stand open for as long as one fire alarm of it lasts.

The controllers release by themselves; this mirrors it, sees to it, and tells whoever is inside. It is worked
out from the alarms each time, so that events may come late, twice or together with others.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg

from domains.access import fire_notices as notices
from domains.access.service import sending, statements
from domains.access.service.waiting import outcomes
from domains.devices.events import AlarmCleared, AlarmOpened
from domains.kernel import clock, database, live
from domains.kernel.events import Event
from domains.kernel.jobs import Result
from notifications.kinds import Kind, Value
from notifications.notifying import notify

RESTORED_WITHIN = timedelta(hours=1)
"""For so long a door that did not hear that the fire is over is told again."""


async def release_doors(event: Event, _: UUID) -> None:
    """Open the doors of a building that burns, and tell everyone inside: once, whatever else reports it."""
    assert isinstance(event, AlarmOpened)
    if event.kind == "fire" and event.building_id is not None:
        fire = await mirror(event.building_id)
        if fire is not None:
            await _tell_inside(notices.FIRE, fire, event.building_id, {"at": fire["opened_at"]})


async def restore_doors(event: Event, _: UUID) -> None:
    """After the last fire of a building its doors are as usual."""
    assert isinstance(event, AlarmCleared)
    if event.kind != "fire" or event.building_id is None or await mirror(event.building_id) is not None:
        return
    last = await database.fetchrow(statements.LAST_CLEARED, event.building_id)
    if last is not None and last["id"] == event.alarm_id:
        await _tell_inside(notices.FIRE_OVER, last, event.building_id, {"at": last["cleared_at"]})


async def mirror(building_id: UUID) -> asyncpg.Record | None:
    """Have the doors of a building be as its alarms say, in the open transaction; its first fire, or None.
    The orders leave after the commit."""
    await database.execute(statements.FIRE_TURN, building_id)
    fire = await database.fetchrow(statements.FIRE, building_id)
    if fire is not None:
        rows = await database.fetch(statements.RELEASE, building_id, fire["id"])
        await _order([row["id"] for row in rows if row["is_fresh"]], "hold_open")
    else:
        await _order([row["id"] for row in await database.fetch(statements.RESTORE, building_id)], "normal")
    return fire


async def _order(door_ids: list[UUID], action: str) -> None:
    current = database.open_transaction()
    assert current is not None, "orders are committed before they leave"
    if not door_ids:
        return
    ids = await sending.add(door_ids, action)

    async def leave() -> None:
        outcomes().beside(sending.send_all(ids))

    current.after_commit(leave)


async def _tell_inside(kind: Kind, alarm: asyncpg.Record, building_id: UUID, facts: dict[str, Value]) -> None:
    inside = await database.fetch(statements.INSIDE, building_id, clock.today())
    await notify(
        [row["account_id"] for row in inside], kind,
        {"compound": alarm["compound"], "building": alarm["building"], **facts},
        dedupe_key=str(alarm["id"]), compound_id=alarm["compound_id"],
    )  # fmt: skip
    guests = await database.fetch(statements.GUESTS, building_id, clock.now())
    await live.wake([f"pass:{row['id']}" for row in guests])


async def keep_doors(_: object) -> Result:
    """Scheduled: what events have missed, and orders to doors that could not be reached."""
    burning = await database.fetch(statements.BURNING)
    for row in burning:
        async with database.transaction():
            await mirror(row["building_id"])
    return {"buildings": len(burning), "again": await _order_again()}


async def _order_again() -> int:
    async with database.transaction():
        rows = await database.fetch(statements.UNDELIVERED, clock.now() - RESTORED_WITHIN)
        for action in ("hold_open", "normal"):
            await _order([row["id"] for row in rows if row["action"] == action], action)
    return len(rows)
