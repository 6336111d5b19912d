"""Sending an order (下发指令): once, in time, and outside of every transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from domains.access import signing
from domains.access.controllers import orders
from domains.access.controllers.port import controllers
from domains.access.rules import COMMAND_LIFE
from domains.access.service import statements
from domains.access.service.settling import ANSWER_GRACE, Said, settle, settle_overdue
from domains.access.service.waiting import outcomes
from domains.kernel import clock, database
from domains.kernel.ids import uuid7
from domains.platforms.calling import NotSent, OutcomeUnknown

PATIENCE_S = 3.0
"""For so long a caller waits for the door's answer; what comes later comes by the subscription."""


async def add(
    door_ids: Sequence[UUID], action: str, account_id: UUID | None = None, house_id: UUID | None = None
) -> list[UUID]:
    """Orders in the open transaction, one for each door; nothing is sent before its commit."""
    ids, now = [uuid7() for _ in door_ids], clock.now()
    await database.execute(
        statements.ADD_COMMANDS, ids, list(door_ids), account_id, house_id, action, now, now + COMMAND_LIFE
    )
    return ids


@dataclass(frozen=True, slots=True)
class Turn:
    """An order that is this process's to send (下发权), for it is committed as sent, and the id of the key that
    signs now."""

    order: orders.Order
    kid: bytes | None


def turn_of(command_id: UUID, row: asyncpg.Record) -> Turn:
    """The turn that a statement has taken."""
    order = orders.Order(command_id, row["device_id"], row["action"], row["requested_at"], row["expires_at"])
    return Turn(order, row["kid"])


async def deliver(turn: Turn) -> None:
    """Send an order, and wait for its end as long as a person waits."""
    with outcomes().expected(turn.order.id) as settled:
        await _send(turn)
        await _wait(turn.order.id, settled)


async def carry_out(command_id: UUID) -> None:
    """Send an order if nobody has, and wait for its end as long as a person waits."""
    with outcomes().expected(command_id) as settled:
        if await send(command_id) or not await _has_ended(command_id):
            await _wait(command_id, settled)


async def send(command_id: UUID) -> bool:
    """Send an order that waits to be sent; False where it does not any more. Of two who try, one sends."""
    row = await database.fetchrow(statements.SENT, command_id, clock.now())
    if row is None:
        return False
    await _send(turn_of(command_id, row))
    return True


async def _send(turn: Turn) -> None:
    order, signer = turn.order, await signing.signer(turn.kid)
    left_s = (order.expires_at - clock.now()).total_seconds()
    try:
        await controllers().send(order.device_id, orders.write(order, signer), expires_in_s=left_s)
    except NotSent:
        await settle([Said(order.id, order.device_id, "refused", "DOOR_UNREACHABLE")])
    except OutcomeUnknown:
        pass  # whoever hears the controller settles it, or its time does


async def send_all(command_ids: Sequence[UUID]) -> None:
    """Send several side by side."""
    await asyncio.gather(*map(send, command_ids))


async def _wait(command_id: UUID, settled: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await settled.wait()
    except TimeoutError:
        outcomes().beside(_end_in_time(command_id))


async def _has_ended(command_id: UUID) -> bool:
    await settle_overdue(command_id)
    return await database.fetchval(statements.ENDS, command_id) is None


async def _end_in_time(command_id: UUID) -> None:
    ends_at: datetime | None = await database.fetchval(statements.ENDS, command_id)
    if ends_at is not None:
        await asyncio.sleep((ends_at + ANSWER_GRACE - clock.now()).total_seconds() + 0.05)
        await settle_overdue(command_id)
