"""How an order to a door ends (指令结果): one move in the database, one record, and whoever waits is told.

An order ends once, save that unknown is left for what its controller says later. Each end leaves its record.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domains.access.rules import Method
from domains.access.service import statements
from domains.access.service.waiting import outcomes
from domains.devices.rules import SKEW
from domains.kernel import clock, database
from domains.kernel.ids import uuid7
from domains.kernel.jobs import Result
from notifications import viewer_events

DOOR_COMMAND_CHANGED = "door_command.changed"
ANSWER_GRACE = timedelta(seconds=2)
"""For so long after its end the answer to an order may still be on its way."""

MOST_OVERDUE = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of an order's end; `at` is by the controller's clock."""

    command_id: UUID
    device_id: UUID
    state: str
    reason: str = ""
    at: datetime | None = None


async def settle(said: Sequence[Said], *, awaits_disk: bool = True) -> int:
    """Write down the ends of these orders, those that are the device's own and not ended yet; how many.

    Only who is sure that the same is said again later may leave out waiting for the disk.
    """
    first = {(each.command_id, each.device_id): each for each in reversed(said)}
    columns = zip(
        *((s.command_id, s.device_id, s.state, s.reason, s.at) for s in first.values()), strict=True
    )
    ended = await _end(statements.SETTLE, len(first), *map(list, columns), awaits_disk)
    await _ring_for_others({each.command_id for each in said} - ended)
    return len(ended)


async def settle_overdue(command_id: UUID | None = None, *, grace: timedelta = ANSWER_GRACE) -> int:
    """End what nobody sent in time (expired) and what nobody answered (unknown): one, or all; how many."""
    most = MOST_OVERDUE if command_id is None else 1
    return len(await _end(statements.OVERDUE, most, grace, command_id))


async def settle_commands(_: object) -> Result:
    """The same as scheduled work."""
    return {"settled": await settle_overdue()}


async def _end(statement: str, most: int, *arguments: object) -> set[UUID]:
    """End orders by a statement that writes down all that goes with it, and tell who waits; which ones."""
    rows = await database.fetch(
        statement, clock.now(), [uuid7() for _ in range(most)], SKEW, DOOR_COMMAND_CHANGED, *arguments
    )
    ended = {row["id"] for row in rows}
    accounts = {row["account_id"] for row in rows} - {None}

    async def tell() -> None:
        outcomes().ring(ended)
        if accounts:
            # Whoever waits for the door is answered first, and the next batch waits for no listener.
            outcomes().beside(viewer_events.wake(accounts))

    current = database.open_transaction()
    if current is None:
        await tell()
    else:
        current.after_commit(tell)
    return ended


async def _ring_for_others(command_ids: Collection[UUID]) -> None:
    """Another process may have been faster; that an order is named does not say that it has ended."""
    waited_for = outcomes().waited_for(command_ids)
    if waited_for:
        outcomes().ring([row["id"] for row in await database.fetch(statements.FINAL, waited_for)])


def method_of(account_kind: str | None) -> Method:
    """By which an order of such an account opens; nobody's is the fire's."""
    if account_kind is None:
        return "fire"
    return "remote" if account_kind == "staff" else "app"
