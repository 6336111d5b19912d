"""Opening a door from the phone (手机开门): who may is asked of the rows at that moment, nothing is sent twice.

The order is committed as sent before it is sent, and by nobody else is it sent: a process that dies in between
leaves an order of which nobody knows the end.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg

from domains.access import permissions
from domains.access.community import rules_of
from domains.access.rules import COMMAND_LIFE, DOUBLE_TAP
from domains.access.service import sending, statements
from domains.access.service.recording import Attempt, record
from domains.access.service.sending import Turn
from domains.access.service.settling import method_of, settle_overdue
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, DomainError
from domains.kernel.ids import uuid7

OPEN, OPEN_REMOTELY = "door.open", "door.open_remotely"
_OBSTACLES = {
    "DOOR_STANDS_OPEN": "门正处于常开状态,请直接通行",
    "DOOR_CLOSED": "这扇门已由物业锁闭,请走其他出入口或联系物业",
    "DOOR_OUT_OF_ORDER": "这扇门的门禁正在检修,请用其他方式开门或联系物业",
    "DOOR_NOT_BY_APP": "这扇门不支持手机开门,请用其他方式",
    "DOOR_QUOTA": "今天的手机开门次数已用完,请刷卡、刷脸或联系物业",
}


async def open_door(
    actor: Actor, *, door_id: UUID, house_id: UUID | None = None, idempotency_key: UUID
) -> UUID:
    """Have a door opened; the id of the order, which has mostly ended by then. `house_id` says for which of
    the caller's houses, the first one that the door leads to unless told.

    A second tap within three seconds, or while the first is under way, is the first one. A door that stands
    open gets no order: DOOR_STANDS_OPEN. Raises DOOR_CLOSED, DOOR_OUT_OF_ORDER, DOOR_NOT_BY_APP, DOOR_QUOTA.
    """
    ask = _ask_as_staff if actor.kind == "staff" else _ask
    try:
        asked = await ask(actor, door_id=door_id, house_id=house_id, idempotency_key=idempotency_key)
    except DomainError as refusal:
        if actor.account_id is not None and refusal.code in {"FORBIDDEN", *_OBSTACLES}:
            await _record_refusal(actor, door_id, house_id, refusal.code)
        raise
    if isinstance(asked, UUID):
        await sending.carry_out(asked)
        return asked
    await sending.deliver(asked)
    return asked.order.id


# Where somebody went is kept as long as records of access are, which is less than the audit's term.
@command(OPEN, caller="resident", audited=False, by_turns=True, keeps_answer=True)
async def _ask(actor: Actor, *, door_id: UUID, house_id: UUID | None, idempotency_key: UUID) -> Turn | UUID:
    return await _ordered(actor, door_id, house_id, (OPEN, idempotency_key))


@command(OPEN_REMOTELY, caller="staff", permission=permissions.DOORS_OPEN, by_turns=True, keeps_answer=True)
async def _ask_as_staff(
    actor: Actor, *, door_id: UUID, house_id: UUID | None, idempotency_key: UUID
) -> Turn | UUID:
    return await _ordered(actor, door_id, None, (OPEN_REMOTELY, idempotency_key))


async def _ordered(
    actor: Actor, door_id: UUID, house_id: UUID | None, claim: tuple[str, UUID]
) -> Turn | UUID:
    """The order that is this call's to send, or the id of the one that was there."""
    asked = await _asked(actor, door_id, house_id, claim)
    if actor.kind == "staff":
        concerns("Door", door_id, asked["compound_id"])
    if asked["is_overdue"] or not asked["has_rules"]:
        await _prepare(asked)
        asked = await _asked(actor, door_id, house_id, claim)
    id: UUID | None = asked["order_id"]
    if asked["refusal"] and id is None:
        raise Conflict(asked["refusal"], _OBSTACLES[asked["refusal"]], "door")
    if id is None:  # somebody else is ending the last order at this moment
        raise Conflict("IN_PROGRESS", "正在处理,请稍候查看结果", "door")
    return sending.turn_of(id, asked) if asked["is_new"] else id


async def _asked(
    actor: Actor, door_id: UUID, house_id: UUID | None, claim: tuple[str, UUID]
) -> asyncpg.Record:
    """What is known of the door for the caller, and the order if nothing was against it. Whoever may not open
    it is refused as for one that does not exist."""
    reach, now, today = actor.reach(permissions.DOORS_OPEN), clock.now(), clock.today()
    row = await database.fetchrow(
        statements.ORDER, door_id, actor.id, today, house_id, reach.compounds, reach.buildings, actor.kind == "staff",
        now, clock.business_day_bounds(today)[0], now - DOUBLE_TAP, uuid7(), now + COMMAND_LIFE, *claim,
    )  # fmt: skip
    if row is None:
        actor.refuse()
    if row["refusal"] == "FORBIDDEN":
        actor.refuse(row["compound_id"])
    return row


async def _prepare(asked: asyncpg.Record) -> None:
    """What is made or ended on first use: the compound's rules, an order that nobody has ended in time."""
    await rules_of(asked["compound_id"])
    if asked["is_overdue"]:
        await settle_overdue(asked["first_id"], grace=timedelta(0))


async def _record_refusal(actor: Actor, door_id: UUID, house_id: UUID | None, code: str) -> None:
    """One record a minute, however often somebody taps; a door that does not exist has none."""
    home = await database.fetchrow(statements.HOME_OF, door_id, actor.id, clock.today(), house_id)
    who = {} if home is None else {"house_id": home["house_id"], "person_id": home["person_id"]}
    async with database.transaction():
        await record(
            Attempt(
                door_id=door_id, method=method_of(actor.kind), account_id=actor.id, reason=code, **who,
                result="opened" if code == "DOOR_STANDS_OPEN" else "refused",
                who=home["name"] if home is not None else actor.name,
                event_key=f"tap:{actor.id}:{code}:{clock.now():%Y%m%d%H%M}",
            )
        )  # fmt: skip
