"""Money that came in (入账): one journal for one success, whoever says it, how often, and in whatever order."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, outbox
from domains.kernel.ids import uuid7
from payments import order_sql as sql
from payments.events import PaymentSucceeded
from payments.gateways import Sighting
from payments.models import PaymentOrder
from payments.order_rules import MARGIN, ORDER, Spread, spread
from payments.service import exceptions, foreign_refunds, orders, payables, refunding
from payments.service.ledger import Account, Posting

Credited = Literal["taken", "again", "reused_number"]
"""What became of a success that somebody told of: booked, booked before, or of another payment."""


async def credit(attempt: asyncpg.Record, paid: Sighting) -> Credited:
    """Book what a channel took for an attempt, once. Inside the caller's transaction.

    Debts are paid with it as far as anything is left of them; what is left over goes back by itself. Too little pays
    nothing, and neither does a second transaction: that waits for a person.
    """
    order = await orders.lock_order(attempt["order_id"])
    current = await database.fetchrow(sql.LOCK_ATTEMPT, attempt["id"])
    assert current is not None and paid.paid_at is not None, (
        "attempts are kept, and money comes at an instant"
    )
    if current["state"] == "succeeded":
        return "again" if current["channel_no"] == paid.channel_no else await _second(order, attempt, paid)
    if await _other_of_number(attempt, paid) is not None:
        return await _keep_reused(attempt, paid)
    await orders.move_attempt(
        attempt["id"], current["state"], "succeeded",
        channel_no=paid.channel_no, paid_fen=paid.amount_fen, succeeded_at=paid.paid_at,
    )  # fmt: skip
    if paid.amount_fen < attempt["amount_fen"]:
        await _keep_too_little(order, attempt, paid)
    else:
        await _pay(order, attempt, paid)
    await foreign_refunds.take_held(attempt["id"])
    if paid.given_back_fen:
        await foreign_refunds.take_all_back(attempt["id"], paid.given_back_fen)
    await orders.changed(order["id"])
    return "taken"


async def _other_of_number(attempt: asyncpg.Record, paid: Sighting) -> UUID | None:
    """The payment of another attempt that this very transaction has paid."""
    order_id: UUID | None = await database.fetchval(
        sql.OTHER_OF_NUMBER, attempt["channel"], paid.channel_no, attempt["id"]
    )
    return order_id


async def _keep_reused(attempt: asyncpg.Record, paid: Sighting) -> Credited:
    """The money of one transaction is booked once, whatever else the channel says that it paid."""
    await exceptions.open_exception(
        "reused_number", attempt["compound_id"], attempt_id=attempt["id"], amount_fen=paid.amount_fen,
        number=paid.channel_no, note=paid.channel_no,
    )  # fmt: skip
    return "reused_number"


async def _second(order: asyncpg.Record, attempt: asyncpg.Record, paid: Sighting) -> Credited:
    """Another transaction of what was paid already: the channel's book has it, so that ours does; a person says whose
    it is."""
    owner = await _other_of_number(attempt, paid)
    if owner is not None:
        return "again" if owner == order["id"] else await _keep_reused(attempt, paid)
    id = uuid7()
    await database.execute(
        sql.SECOND, attempt["id"], id, id.hex, paid.amount_fen, paid.channel_no, clock.now(), paid.paid_at
    )
    second = await database.fetchrow(sql.ATTEMPT_BY_ID, id)
    assert second is not None, "it was made a moment ago"
    await _keep(order, second, paid, "second_success")
    return "again"


async def _keep_too_little(order: asyncpg.Record, attempt: asyncpg.Record, paid: Sighting) -> None:
    await _keep(order, attempt, paid, "underpaid")
    await orders.close_if_over(attempt["order_id"])


async def _keep(order: asyncpg.Record, attempt: asyncpg.Record, paid: Sighting, kind: str) -> None:
    """It pays nothing: it waits in suspense for a person."""
    await _post(order, attempt, paid, Spread(), {Account("suspense", attempt["id"]): paid.amount_fen})
    await exceptions.open_exception(
        kind,
        attempt["compound_id"],
        attempt_id=attempt["id"],
        amount_fen=paid.amount_fen,
        note=paid.channel_no,
    )


async def _pay(order: asyncpg.Record, attempt: asyncpg.Record, paid: Sighting) -> None:
    is_first = order["state"] in ("open", "closed")
    goes = await where_it_goes(order["id"], paid.amount_fen) if is_first else Spread(left_fen=paid.amount_fen)
    others = await accounts_of(goes)
    if goes.left_fen:
        cause = "excess" if goes.settles else "duplicate"
        refund_id = await refunding.give_back_by_rule(attempt, goes.left_fen, cause)
        others[Account("refund_due", refund_id)] = goes.left_fen
    await _post(order, attempt, paid, goes, others)
    if is_first:
        await _note_paid(order["id"], goes)
        await _paid(order, attempt, paid)


async def _note_paid(order_id: UUID, goes: Spread) -> None:
    parts = [(id, None, fen) for id, fen in goes.payables.items()]
    parts += [(None, id, fen) for id, fen in goes.accounts.items()]  # type: ignore[misc]
    if parts:
        await database.execute(
            sql.ITEMS_PAID, order_id, *(list(column) for column in zip(*parts, strict=True))
        )


async def where_it_goes(order_id: UUID, received_fen: int) -> Spread:
    """What money of a payment pays, by what is left of its debts now."""
    items = await orders.items_of(order_id)
    states = await payables.lock({item.payable_id for item in items if item.payable_id})
    return spread(items, {id: state.outstanding_fen for id, state in states.items()}, received_fen)


async def accounts_of(goes: Spread) -> dict[Account, int]:
    """The accounts that it goes into, by what they are for."""
    if not goes.accounts:
        return {}
    rows = await database.fetch(sql.ACCOUNTS, list(goes.accounts))
    return {Account(row["code"], row["subject_id"], row["purpose"]): goes.accounts[row["id"]] for row in rows}


async def _post(
    order: asyncpg.Record,
    attempt: asyncpg.Record,
    paid: Sighting,
    goes: Spread,
    others: dict[Account, int],
) -> None:
    assert paid.paid_at is not None
    # The day is the channel's: it closes its books by it, and so do we.
    day, channel = clock.business_date(paid.paid_at), attempt["channel"]
    posting = Posting(
        attempt["compound_id"], f"pay_{channel}", orders.journal_key(attempt["id"]), day, memo=attempt["title"],
        actor_id=order["cashier_id"],
    )  # fmt: skip
    funds = orders.funds_of(channel, order["cashier_id"])
    await payables.settle(posting, funds, goes.payables, settled_on(order, paid.paid_at), others)


def settled_on(order: asyncpg.Record, paid_at: datetime) -> date:
    """The day on which debts count as paid: that of their amounts, which stand still while it is paid. Else a payment
    that goes past midnight would owe another day of late fee."""
    is_in_time = paid_at <= order["expires_at"] + MARGIN
    return clock.business_date(order["created_at"] if is_in_time else paid_at)


async def _paid(order: asyncpg.Record, attempt: asyncpg.Record, paid: Sighting) -> None:
    await orders.let_go(order["id"])
    for other in await orders.live_attempts(order["id"]):
        await database.execute(sql.ASK_NOW, other["id"], clock.now())
    await ORDER.move(
        PaymentOrder, order["id"], order["state"], "paid",
        paid_at=paid.paid_at, paid_by=attempt["id"], number=await orders.next_number(order["compound_id"]),
    )  # fmt: skip
    await outbox.record(
        PaymentSucceeded(
            order["id"], order["compound_id"], order["holder_id"], order["payer_id"], attempt["id"],
            attempt["channel"], order["amount_fen"],
        )
    )  # fmt: skip
