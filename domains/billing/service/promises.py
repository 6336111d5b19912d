"""Promises to pay (缴费承诺): recorded by staff; until the day has passed nobody is reminded."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from domains.billing import dunning_sql as sql
from domains.billing import permissions
from domains.billing.service.dunning import house_of
from domains.kernel import clock, database, money, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7

LONGEST = timedelta(days=90)
"""No promise keeps reminders away for longer."""


@command("promise.record", caller="staff", permission=permissions.DUNNING_WRITE)
async def record_promise(
    actor: Actor, *, house_id: UUID, promised_on: date, amount_fen: int | None = None, note: str = ""
) -> UUID:
    """Somebody of a house promised to pay so much, or all that is owed, by a day, that day included; its id.

    Raises HOUSE_NOT_FOUND, NOTHING_OWED, PROMISE_OPEN while another one holds, PROMISE_DAY, AMOUNT_INVALID.
    """
    house = await house_of(actor, house_id, "PaymentPromise")
    _check(promised_on, amount_fen)
    note = text.clean(note, max_length=200, min_length=0, multiline=True, field="note")
    if not await database.fetchval(sql.OWES, house_id):
        raise Conflict("NOTHING_OWED", "这套房屋没有待缴的账单,无需登记承诺")
    if (until := await database.fetchval(sql.PROMISED_UNTIL, house_id, clock.today())) is not None:
        raise Conflict("PROMISE_OPEN", f"这户已承诺在 {until} 前缴费,请先撤回再登记新的承诺")
    id = uuid7()
    await database.execute(
        sql.PROMISE, id, house["compound_id"], house_id, promised_on, amount_fen, note, actor.id, clock.now()
    )
    concerns("PaymentPromise", id, house["compound_id"], promised_on=promised_on, fen=amount_fen)
    return id


def _check(promised_on: date, amount_fen: int | None) -> None:
    today = clock.today()
    if not today <= promised_on <= today + LONGEST:
        raise Invalid("PROMISE_DAY", f"承诺日期须在今天到 {LONGEST.days} 天之内,请重新选择", "promised_on")
    if amount_fen is not None:
        if amount_fen <= 0:
            raise Invalid("AMOUNT_INVALID", "承诺金额须大于零,承诺全部缴清请留空", "amount_fen")
        money.within_range(amount_fen, field="amount_fen")


@command("promise.withdraw", caller="staff", permission=permissions.DUNNING_WRITE)
async def withdraw_promise(actor: Actor, *, promise_id: UUID) -> UUID:
    """Take a promise back whose day has not passed (撤回承诺): reminders go on. Raises PROMISE_NOT_FOUND, PROMISE_OVER."""
    promise = await database.fetchrow(sql.LOCK_PROMISE, promise_id)
    if promise is None:
        raise NotFound("PROMISE_NOT_FOUND", "没有找到这项承诺,请刷新后重试", "promise")
    concerns("PaymentPromise", promise_id, promise["compound_id"], house=promise["house_id"])
    actor.require(permissions.DUNNING_WRITE, promise["compound_id"], promise["building_id"])
    if promise["withdrawn_at"] is not None or promise["promised_on"] < clock.today():
        raise Conflict("PROMISE_OVER", "这项承诺已经撤回或到期,无需撤回")
    await database.execute(sql.WITHDRAW, promise_id, clock.now())
    return promise_id
