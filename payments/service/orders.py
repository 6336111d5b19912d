"""Payments begun and ended (支付单), and the ways they are tried. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, live, outbox
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7
from payments import order_sql as sql
from payments.events import PaymentClosed
from payments.gateways import Gateway, Product, gateways
from payments.models import PaymentAttempt, PaymentOrder
from payments.order_rules import ATTEMPT, LIFETIME, MARGIN, ORDER, Item
from payments.service import exceptions, payables
from payments.service.ledger import Account

# Long enough that who prepared it has told: from then on the channel is asked.
_PREPARED_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class NewItem:
    """What is paid: fen of a debt, or fen into an account."""

    amount_fen: int
    payable_id: UUID | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A payment as it is begun. `id` is the one that the debts are held for."""

    id: UUID
    compound_id: UUID
    holder_id: UUID
    title: str
    items: Sequence[NewItem]
    payer_id: UUID | None = None
    cashier_id: UUID | None = None

    @property
    def amount_fen(self) -> int:
        """All of it."""
        return sum(item.amount_fen for item in self.items)


def held_until() -> datetime:
    """Till when the amounts of a payment that begins now stand still."""
    return clock.now() + LIFETIME + MARGIN


async def open_order(new: NewOrder) -> UUID:
    """Begin a payment; its id. Invalid NOTHING_TO_PAY without an amount."""
    if not new.items or any(item.amount_fen <= 0 for item in new.items):
        raise Invalid("NOTHING_TO_PAY", "没有需要支付的金额,请刷新后重试")
    now = clock.now()
    await PaymentOrder.create(
        id=new.id, compound_id=new.compound_id, holder_id=new.holder_id, payer_id=new.payer_id,
        cashier_id=new.cashier_id, title=new.title[:120], amount_fen=new.amount_fen, created_at=now,
        expires_at=now + LIFETIME,
    )  # fmt: skip
    payable_ids, account_ids = [i.payable_id for i in new.items], [i.account_id for i in new.items]
    await database.execute(sql.NEW_ITEMS, new.id, payable_ids, account_ids, [i.amount_fen for i in new.items])
    return new.id


def gateway_for(channel: str, product: Product) -> Gateway:
    """The way to a channel. Invalid CHANNEL_UNAVAILABLE where it is not set up, or does not do this."""
    gateway = gateways().get(channel)
    if gateway is None or product not in gateway.products:
        raise Invalid("CHANNEL_UNAVAILABLE", "暂不支持这种支付方式,请换一种方式支付", "channel")
    return gateway


async def try_by(
    order_id: UUID, amount_fen: int, gateway: Gateway, product: Product, buyer: str = ""
) -> UUID:
    """Begin an attempt to pay; its id. What the channel says of it is asked for by itself from now on."""
    now, id = clock.now(), uuid7()
    order = await PaymentOrder.get(id=order_id)
    await PaymentAttempt.create(
        id=id, order_id=order_id, compound_id=order.compound_id, channel=gateway.channel, product=product,
        out_trade_no=id.hex, app_id=gateway.app_id, payee=gateway.payee, buyer=buyer, amount_fen=amount_fen,
        created_at=now, next_query_at=now + _PREPARED_WITHIN,
    )  # fmt: skip
    return id


async def try_at_desk(order_id: UUID, amount_fen: int, channel: str, reference: str) -> UUID:
    """Begin an attempt whose money a cashier has in hand; its id. Conflict REFERENCE_USED where that number of the
    terminal's or bank's has paid something already."""
    order, id = await PaymentOrder.get(id=order_id), uuid7()
    if reference and await database.fetchval(sql.REFERENCE, order.compound_id, channel, reference):
        raise Conflict("REFERENCE_USED", "这个参考号已经入账过,请核对后重新填写", "reference")
    await PaymentAttempt.create(
        id=id, order_id=order_id, compound_id=order.compound_id, channel=channel, product="desk", reference=reference,
        out_trade_no=id.hex, amount_fen=amount_fen, created_at=clock.now(),
    )  # fmt: skip
    return id


async def lock_order(order_id: UUID) -> asyncpg.Record:
    """An order that nobody else changes meanwhile. NotFound PAYMENT_NOT_FOUND."""
    row = await database.fetchrow(sql.LOCK_ORDER, order_id)
    if row is None:
        raise NotFound("PAYMENT_NOT_FOUND", "没有找到这笔支付,请刷新后重试")
    return row


async def live_attempts(order_id: UUID) -> Sequence[asyncpg.Record]:
    """Attempts that may yet be paid, the oldest first."""
    return await database.fetch(sql.LIVE_ATTEMPTS, order_id)


async def items_of(order_id: UUID) -> list[Item]:
    """What a payment pays, in its order."""
    return [Item(**row) for row in await database.fetch(sql.ITEMS, order_id)]


async def move_attempt(
    attempt_id: UUID,
    old: str,
    new: str,
    **values: Any,  # Any: column values
) -> None:
    """Move an attempt, and ask no more of the channel once nobody can pay it."""
    if new in ("closed", "failed", "succeeded"):
        values |= {"next_query_at": None, "client_parameters": None, "ended_at": clock.now()}
        await exceptions.close_of_attempt(("stuck", "reused_number"), attempt_id)
    await ATTEMPT.move(PaymentAttempt, attempt_id, old, new, **values)


async def close_if_over(order_id: UUID) -> bool:
    """End a payment that nobody can pay any more, and let its debts go; whether it has ended now."""
    order = await lock_order(order_id)
    if order["state"] != "open" or await live_attempts(order_id):
        return False
    await ORDER.move(PaymentOrder, order_id, "open", "closed", closed_at=clock.now())
    await let_go(order_id)
    await outbox.record(PaymentClosed(order_id, order["compound_id"]))
    await changed(order_id)
    return True


async def let_go(order_id: UUID) -> None:
    """Let the debts of a payment be changed again."""
    ids = [item.payable_id for item in await items_of(order_id) if item.payable_id]
    await payables.release(ids, order_id)


async def changed(order_id: UUID) -> None:
    """Wake whoever watches a payment, once this is committed."""
    await live.wake([watch_name(order_id)])


def watch_name(order_id: UUID) -> str:
    """What whoever watches a payment listens to."""
    return f"payment:{order_id}"


async def end_attempt(attempt: asyncpg.Record, state: str, problem: str = "") -> None:
    """End an attempt without money, and its payment if that was the last way to pay it. What was paid meanwhile stays."""
    async with database.transaction():
        await lock_order(attempt["order_id"])
        current = await database.fetchrow(sql.LOCK_ATTEMPT, attempt["id"])
        assert current is not None, "attempts are kept"
        if ATTEMPT.allows(current["state"], state):
            await move_attempt(attempt["id"], current["state"], state, problem=problem[:60])
            await close_if_over(attempt["order_id"])


def journal_key(attempt_id: UUID) -> str:
    """What the journal of a success is the posting of."""
    return f"payment:{attempt_id}"


def funds_of(channel: str, cashier_id: UUID | None) -> Account:
    """The account on which money of a channel stands: the cashier's drawer, or what the channel has yet to pay out."""
    return Account("drawer", cashier_id) if channel == "cash" else Account("clearing", purpose=channel)


async def next_number(compound_id: UUID) -> str:
    """The next number of a receipt (收款编号) in a compound and day; without gaps, for it is written as it is taken."""
    day = clock.today()
    return f"{day:%Y%m%d}{await database.fetchval(sql.NEXT_NUMBER, compound_id, day):05}"
