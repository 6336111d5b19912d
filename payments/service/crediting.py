"""Money that came in (入账): one journal for one success, whoever says it, how often, and in whatever order."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, outbox
from payments import order_sql as sql
from payments.events import PaymentSucceeded
from payments.gateways import Sighting
from payments.models import PaymentOrder
from payments.order_rules import MARGIN, ORDER, Spread, spread
from payments.service import exceptions, orders, payables, refund_results, refunding
from payments.service.ledger import Account, Posting


async def credit(attempt: asyncpg.Record, paid: Sighting) -> bool:
    """Book what a channel took for an attempt; False where that was done before. Inside the caller's transaction.

    Debts are paid with it as far as anything is left of them; what is left over goes back by itself. Too little pays
    nothing: it waits for a person.
    """
    order = await orders.lock_order(attempt["order_id"])
    current = await database.fetchrow(sql.LOCK_ATTEMPT, attempt["id"])
    assert current is not None and paid.paid_at is not None, (
        "attempts are kept, and money comes at an instant"
    )
    if current["state"] == "succeeded":
        return False
    await orders.move_attempt(
        attempt["id"], current["state"], "succeeded",
        channel_no=paid.channel_no, paid_fen=paid.amount_fen, succeeded_at=paid.paid_at,
    )  # fmt: skip
    if paid.amount_fen < attempt["amount_fen"]:
        await _keep_too_little(order, attempt, paid)
    else:
        await _pay(order, attempt, paid)
    await refund_results.take_held(attempt["id"])
    if paid.given_back_fen:
        await refund_results.take_all_back(attempt["id"], paid.given_back_fen)
    await orders.changed(order["id"])
    return True


async def _keep_too_little(order: asyncpg.Record, attempt: asyncpg.Record, paid: Sighting) -> None:
    suspense = {Account("suspense", attempt["id"]): paid.amount_fen}
    await _post(order, attempt, paid, Spread(), suspense)
    await exceptions.open_exception(
        "underpaid", attempt["compound_id"], attempt_id=attempt["id"], amount_fen=paid.amount_fen
    )
    await orders.close_if_over(attempt["order_id"])


async def _pay(order: asyncpg.Record, attempt: asyncpg.Record, paid: Sighting) -> None:
    is_first = order["state"] in ("open", "closed")
    goes = await _spread(order["id"], paid.amount_fen) if is_first else Spread(left_fen=paid.amount_fen)
    others = await _accounts(goes)
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


async def _spread(order_id: UUID, received_fen: int) -> Spread:
    items = await orders.items_of(order_id)
    states = await payables.lock({item.payable_id for item in items if item.payable_id})
    return spread(items, {id: state.outstanding_fen for id, state in states.items()}, received_fen)


async def _accounts(goes: Spread) -> dict[Account, int]:
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
    await payables.settle(posting, funds, goes.payables, _settled_on(order, paid.paid_at), others)


def _settled_on(order: asyncpg.Record, paid_at: datetime) -> date:
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
