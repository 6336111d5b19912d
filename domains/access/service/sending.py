"""Sending an order (下发指令): once, in time, and outside of every transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

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


async def carry_out(command_id: UUID) -> None:
    """Send an order if nobody has, and wait for its end as long as a person waits."""
    with outcomes().expected(command_id) as settled:
        if not await send(command_id) and await _has_ended(command_id):
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                await settled.wait()
        except TimeoutError:
            outcomes().beside(_end_in_time(command_id))


async def send(command_id: UUID) -> bool:
    """Send an order that waits to be sent; False where it does not any more. Of two who try, one sends."""
    now = clock.now()
    row = await database.fetchrow(statements.SENT, command_id, now)
    if row is None:
        return False
    device: UUID = row["device_id"]
    order = orders.Order(command_id, device, row["action"], row["requested_at"], row["expires_at"])
    signer = await signing.signer(row["kid"])
    left_s = (row["expires_at"] - now).total_seconds()
    try:
        await controllers().send(device, orders.write(order, signer), expires_in_s=left_s)
    except NotSent:
        await settle([Said(command_id, device, "refused", "DOOR_UNREACHABLE")])
    except OutcomeUnknown:
        pass  # whoever hears the controller settles it, or its time does
    return True


async def send_all(command_ids: Sequence[UUID]) -> None:
    """Send several side by side."""
    await asyncio.gather(*map(send, command_ids))


async def _has_ended(command_id: UUID) -> bool:
    await settle_overdue(command_id)
    return await database.fetchval(statements.ENDS, command_id) is None


async def _end_in_time(command_id: UUID) -> None:
    ends_at: datetime | None = await database.fetchval(statements.ENDS, command_id)
    if ends_at is not None:
        await asyncio.sleep((ends_at + ANSWER_GRACE - clock.now()).total_seconds() + 0.05)
        await settle_overdue(command_id)
