"""Bills and prepayments paid online (线上缴费): amounts are ours and stand still, then the channel is asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from domains.billing import bill_sql
from domains.billing import payment_sql as sql
from domains.billing.queries import bills as bill_queries
from domains.billing.rules import PREPAYABLE
from domains.billing.service.assessing import being_paid, freeze
from domains.identity.limits import limiter
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound, Throttled, Unavailable
from domains.kernel.ids import uuid7
from domains.kernel.rates import RateLimit, WhenDown
from payments.gateways import Gateway, Product
from payments.service import asking, ledger, orders
from payments.service.ledger import Account
from payments.service.orders import NewItem, NewOrder

MOST_BILLS: Final = 100
MOST_TOP_UP_FEN: Final = 5_000_000
PER_ACCOUNT = RateLimit("payments-begun", 20, 60, 20, WhenDown.OPEN)


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody wants to pay."""

    channel: str
    product: Product


@dataclass(frozen=True, slots=True)
class Begun:
    """A payment that was begun, and the attempt to pay it."""

    payment_id: UUID
    attempt_id: UUID


async def pay_bills(
    actor: Actor,
    *,
    bill_ids: Sequence[UUID],
    way: Way,
    part_fen: int | None = None,
    idempotency_key: UUID | None = None,
) -> UUID:
    """Begin to pay bills that the caller may see, all of one compound, or a part of one where the compound allows it;
    the payment's id. Asked again for as much while it is open, it is the same payment, tried anew where another way is
    named.

    Raises NotFound BILL_NOT_FOUND; Invalid CHANNEL_UNAVAILABLE, BUYER_UNKNOWN, PART_NOT_ALLOWED, PART_INVALID; Conflict
    BILL_PAID, BILL_BEING_PAID; Throttled PAYMENTS_TOO_OFTEN; Unavailable PAYMENT_NOT_BEGUN.
    """
    await _take_limit(actor)
    begun = await _begin_bills(
        actor, bill_ids=list(bill_ids), way=way, part_fen=part_fen, idempotency_key=idempotency_key
    )
    return await _prepared(actor, begun)


async def top_up_account(
    actor: Actor,
    *,
    house_id: UUID,
    fen: int,
    purpose: str,
    way: Way,
    idempotency_key: UUID | None = None,
) -> UUID:
    """Begin to pay into a house's prepayment (预存充值), for one category of fees or for any; the payment's id.

    Raises Forbidden; Invalid AMOUNT_OUT_OF_RANGE, PURPOSE_UNKNOWN and those of pay_bills; Throttled; Unavailable.
    """
    await _take_limit(actor)
    begun = await _begin_top_up(
        actor, house_id=house_id, fen=fen, purpose=purpose, way=way, idempotency_key=idempotency_key
    )
    return await _prepared(actor, begun)


async def _take_limit(actor: Actor) -> None:
    verdict = await limiter().take(PER_ACCOUNT, str(actor.id))
    if not verdict.allowed:
        raise Throttled("PAYMENTS_TOO_OFTEN", "操作太频繁,请稍后再试", verdict.retry_after_s)


async def _prepared(actor: Actor, begun: Begun) -> UUID:
    if await asking.prepare(begun.attempt_id, actor.origin.ip) == "failed":
        raise Unavailable("PAYMENT_NOT_BEGUN", "支付平台暂时没有受理,请稍后重试,或换一种方式支付")
    return begun.payment_id


@command("bill.pay", caller="resident", by_turns=True)
async def _begin_bills(
    actor: Actor, *, bill_ids: list[UUID], way: Way, part_fen: int | None, idempotency_key: UUID | None
) -> Begun:
    gateway = orders.gateway_for(way.channel, way.product)
    bills = await payable_bills(actor, bill_ids)
    concerns("Bill", bills[0].id, bills[0].compound_id, bills=len(bills), channel=way.channel)
    buyer = await _buyer(actor, gateway, way.product)
    if (order := await _same(actor, bill_ids, part_fen)) is not None:
        return Begun(order["id"], await _tried(order, gateway, way.product, buyer))
    order_id, until = uuid7(), orders.held_until()
    owed = await freeze(bill_ids, clock.today(), until, order_id)
    if not owed:
        raise paid_already()
    items = [NewItem(fen, payable_id) for payable_id, fen in await part_of(bills, owed, part_fen)]
    title = await _title(bills[0].house_id, len(bills))
    new = NewOrder(order_id, bills[0].compound_id, bills[0].house_id, title, items, payer_id=actor.id)
    await orders.open_order(new)
    return Begun(order_id, await orders.try_by(order_id, new.amount_fen, gateway, way.product, buyer))


async def payable_bills(actor: Actor, bill_ids: Collection[UUID]) -> list[bill_queries.Bill]:
    """Bills that the caller may see and that are to be paid. Raises BILLS_COUNT, BILL_NOT_FOUND, BILL_PAID."""
    if not 1 <= len(set(bill_ids)) <= MOST_BILLS:
        raise Invalid("BILLS_COUNT", f"一次可支付 1 到 {MOST_BILLS} 张账单", "bills")
    found = await bill_queries.by_id(actor, list(bill_ids))
    if len(found) != len(set(bill_ids)):
        raise NotFound("BILL_NOT_FOUND", "没有找到这张账单,请刷新后重试", "bills")
    bills = [found[id] for id in dict.fromkeys(bill_ids)]
    if len({bill.compound_id for bill in bills}) > 1:
        raise Invalid("BILLS_OF_SEVERAL_COMPOUNDS", "不同小区的账单请分开支付", "bills")
    if any(bill.state in ("paid", "void") for bill in bills):
        raise paid_already()
    return bills


def paid_already() -> Conflict:
    """There is nothing to pay of the bills."""
    return Conflict("BILL_PAID", "所选账单中有已缴清或已作废的,请刷新后重新选择", "bills")


async def _buyer(actor: Actor, gateway: Gateway, product: Product) -> str:
    """Who pays, as the platform knows them in the application that is paid in."""
    if product != "mini_program":
        return ""
    buyer: str | None = await database.fetchval(sql.BUYER, actor.id, gateway.channel, gateway.app_id)
    if buyer is None:
        raise Invalid("BUYER_UNKNOWN", "请先在小程序中用微信或支付宝登录,再进行支付", "channel")
    return buyer


async def _same(actor: Actor, bill_ids: Collection[UUID], part_fen: int | None) -> asyncpg.Record | None:
    """The caller's own payment of just these bills, and of just as much of them, that is open."""
    rows = await database.fetch(sql.OPEN_OF_BILLS, list(bill_ids), clock.now())
    if not rows:
        return None
    if len(rows) > 1 or rows[0]["payer_id"] != actor.id or set(rows[0]["bill_ids"]) != set(bill_ids):
        raise being_paid()
    order = await orders.lock_order(rows[0]["id"])
    wanted_fen = await _owed_fen(bill_ids) if part_fen is None else part_fen
    if order["state"] != "open" or order["expires_at"] <= clock.now() or order["amount_fen"] != wanted_fen:
        raise being_paid()
    return order


async def _owed_fen(bill_ids: Collection[UUID]) -> int:
    return sum(row["fen"] for row in await database.fetch(bill_sql.TO_PAY, bill_ids, clock.now()))


async def _tried(order: asyncpg.Record, gateway: Gateway, product: Product, buyer: str) -> UUID:
    """The attempt that waits in this very way, or a new one."""
    for attempt in await orders.live_attempts(order["id"]):
        if (attempt["channel"], attempt["product"]) == (gateway.channel, product):
            id: UUID = attempt["id"]
            return id
    return await orders.try_by(order["id"], order["amount_fen"], gateway, product, buyer)


async def part_of(
    bills: Sequence[bill_queries.Bill], owed: list[tuple[UUID, int]], part_fen: int | None
) -> list[tuple[UUID, int]]:
    """All that is owed or, of one bill where the compound allows it, a part: principal before late fee."""
    if part_fen is None:
        return owed
    if len(bills) != 1 or not await database.fetchval(sql.ALLOWS_PART, bills[0].compound_id):
        raise Invalid("PART_NOT_ALLOWED", "不支持部分支付,请支付整张账单", "partFen")
    if not 1 <= part_fen <= sum(fen for _, fen in owed):
        raise Invalid("PART_INVALID", "部分支付的金额应大于零,且不超过应缴金额", "partFen")
    parts, left = list[tuple[UUID, int]](), part_fen
    for payable_id, fen in owed:
        if taken := min(fen, left):
            parts.append((payable_id, taken))
            left -= taken
    return parts


async def _title(house_id: UUID, bills: int) -> str:
    row = await _house(house_id)
    count = f"({bills}张账单)" if bills > 1 else ""
    return f"{row['compound']} {row['number']} 物业缴费{count}"


async def _house(house_id: UUID) -> asyncpg.Record:
    row = await database.fetchrow(sql.HOUSE, house_id)
    assert row is not None, "houses are kept"
    return row


def check_top_up(fen: int, purpose: str) -> None:
    """Raises Invalid TOP_UP_AMOUNT, PURPOSE_UNKNOWN."""
    if not 1 <= fen <= MOST_TOP_UP_FEN:
        raise Invalid("TOP_UP_AMOUNT", "充值金额应在 0.01 元到 50,000 元之间", "amountFen")
    if purpose and purpose not in PREPAYABLE:
        raise Invalid("PURPOSE_UNKNOWN", "请选择预存款的用途", "purpose")


@command("account.top_up", caller="resident", by_turns=True)
async def _begin_top_up(
    actor: Actor, *, house_id: UUID, fen: int, purpose: str, way: Way, idempotency_key: UUID | None
) -> Begun:
    tie = next((each for each in actor.houses if each.house_id == house_id), None)
    if tie is None:
        actor.refuse()
    concerns("House", house_id, tie.compound_id, fen=fen, channel=way.channel)
    check_top_up(fen, purpose)
    gateway = orders.gateway_for(way.channel, way.product)
    buyer = await _buyer(actor, gateway, way.product)
    account = Account("prepayment", house_id, purpose)
    ids = await ledger.account_ids(tie.compound_id, [account])
    house = await _house(house_id)
    title, items = f"{house['compound']} {house['number']} 预存充值", [NewItem(fen, account_id=ids[account])]
    order_id = await orders.open_order(NewOrder(uuid7(), tie.compound_id, house_id, title, items, actor.id))
    return Begun(order_id, await orders.try_by(order_id, fen, gateway, way.product, buyer))
