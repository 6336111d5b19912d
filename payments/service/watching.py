"""What whoever pays, or takes the money, does with a payment that is under way."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import NotFound
from payments import order_sql as sql
from payments import permissions
from payments.service import asking


async def confirm_payment_hint(actor: Actor, *, payment_id: UUID) -> None:
    """The client says that somebody has paid: that proves nothing, and has the channel asked. For who pays it, for the
    cashier who began it and still keeps a desk there, and for staff with desk.write over all of the compound. Raises
    NotFound PAYMENT_NOT_FOUND."""
    await _require_own(actor, payment_id)
    await asking.ask_at_once(payment_id)


async def cancel_payment(actor: Actor, *, payment_id: UUID) -> None:
    """Nobody wants to pay it any more: it is closed at its channels, unless it turns out to be paid. For whom
    `confirm_payment_hint` is. Raises NotFound PAYMENT_NOT_FOUND."""
    await _require_own(actor, payment_id)
    await asking.ask_at_once(payment_id, give_up=True)


async def _require_own(actor: Actor, payment_id: UUID) -> None:
    row = await database.fetchrow(sql.WHOSE, payment_id)
    if row is None or not (_is_own(actor, row) or _keeps_desk(actor, row["compound_id"])):
        raise NotFound("PAYMENT_NOT_FOUND", "没有找到这笔支付,请刷新后重试")


def _is_own(actor: Actor, row: asyncpg.Record) -> bool:
    if actor.account_id is None:
        return False
    keeps_it = actor.account_id == row["cashier_id"] and actor.may(permissions.DESK_WRITE, row["compound_id"])
    return actor.account_id == row["payer_id"] or keeps_it


def _keeps_desk(actor: Actor, compound_id: UUID) -> bool:
    # Of which building a payment is, is not known here: who keeps one building's desk sees to what they began.
    return actor.kind == "system" or compound_id in actor.reach(permissions.DESK_WRITE).compounds
