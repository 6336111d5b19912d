"""Using a pass (核销): of two gates at once exactly one uses the last use."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domains.access import sql
from domains.access.events import VisitorLeft
from domains.access.rules import TOLERANCE
from domains.access.service.issuing import list_channel
from domains.kernel import clock, database, live, outbox
from domains.kernel.ids import uuid7


async def use(pass_id: UUID, at: datetime) -> int | None:
    """Take one use of a pass that counts then; how many were used with it, or None: nothing may open.

    What is used up and could be opened by a gate that counts for itself goes on the gates' list: one that loses
    its network afterwards does not open to it once more.
    """
    row = await database.fetchrow(sql.USE, [pass_id], [1], [at], [at], at, TOLERANCE)
    if row is None:
        return None
    if row["is_to_list"]:
        await put_on_list(row["compound_id"], pass_id, row["ends_at"])
    return int(row["uses"])


async def leave(pass_id: UUID) -> bool:
    """Its holder is not inside any more; False where nobody was."""
    row = await database.fetchrow(sql.LEAVE, pass_id)
    if row is not None:
        await outbox.record(VisitorLeft(pass_id, **row))
    return row is not None


async def put_on_list(compound_id: UUID, pass_id: UUID, ends_at: datetime) -> None:
    """A line of the compound's revocation list (吊销名单), in the open transaction; its gates are woken."""
    await database.execute(sql.REVOKE, uuid7(), compound_id, pass_id, ends_at + TOLERANCE, clock.now())
    await live.wake([list_channel(compound_id)])
