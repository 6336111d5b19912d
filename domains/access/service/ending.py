"""The end of passes (吊销、失效), from whichever side it comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from domains.access import pass_sql
from domains.access.events import VisitorPassRevoked
from domains.access.models import PassTemplate, VisitorPass
from domains.access.rules import PASS, REQUEST_LIFE, TOLERANCE
from domains.access.service import uses
from domains.access.service.issuing import lives_there, pass_channel
from domains.kernel import clock, database, live, outbox
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.command import command

MOVED_OUT = "邀请人已不在这里居住"
TEMPLATE_ENDED = "常访模板已结束"
BATCH = 1_000


async def revoke(row: asyncpg.Record, by: UUID | None, reason: str) -> None:
    """Revoke a pass whose row the open transaction has locked; a signed one goes on the gates' list.

    Raises STATE_CONFLICT.
    """
    now = clock.now()
    await PASS.move(VisitorPass, row["id"], row["state"], "revoked", ended_at=now, ended_by=by, reason=reason)
    if row["state"] != "requested":
        await uses.put_on_list(row["compound_id"], row["id"], row["ends_at"])
    await outbox.record(VisitorPassRevoked(row["id"], row["compound_id"], row["house_id"]))
    await live.wake([pass_channel(row["id"])])


async def end_template(template_id: UUID, by: UUID | None, reason: str = TEMPLATE_ENDED) -> None:
    """End a template and revoke what it has made and is not over; in the open transaction."""
    now = clock.now()
    await PassTemplate.filter(pk=template_id, ended_at=None).update(ended_at=now)
    await _revoke_all(await database.fetch(pass_sql.OPEN_OF_TEMPLATE, template_id, now), by, reason)


async def _revoke_all(rows: Sequence[asyncpg.Record], by: UUID | None, reason: str) -> None:
    for row in rows:
        await revoke(row, by, reason)


async def end_hosting(account_id: UUID, house_id: UUID) -> None:
    """End what somebody hosts in a house where they do not live any more; in the open transaction."""
    if await lives_there(account_id, house_id):
        return
    now = clock.now()
    templates = await database.fetch(pass_sql.TEMPLATES_OF_HOST, house_id, account_id)
    # Every pass is locked before the compound's list is: who revokes one of them at this moment does the same.
    rows = await database.fetch(pass_sql.OPEN_OF_HOST, house_id, account_id, now)
    await PassTemplate.filter(id__in=[row["id"] for row in templates]).update(ended_at=now)
    await _revoke_all(rows, None, MOVED_OUT)


async def expire() -> int:
    """Write the end of passes and requests whose time is over, by batches; how many."""
    total = 0
    while ended := await _expire_batch(SYSTEM):
        total += ended
    return total


@command("visitor_pass.expire", caller="system", audited=False)
async def _expire_batch(actor: Actor) -> int:
    rows: Sequence[Any] = await database.fetch(  # Any: records
        pass_sql.EXPIRE, clock.now(), TOLERANCE, REQUEST_LIFE, BATCH
    )
    await live.wake([pass_channel(row["id"]) for row in rows])
    return len(rows)
