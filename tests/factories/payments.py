"""Payments the short way: a house that owes a bill, and a payment of it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from domains.kernel import database
from domains.kernel.ids import uuid7
from payments.gateways import Gateway, Product
from payments.service import asking, orders, payables
from payments.service.orders import NewItem, NewOrder
from tests.factories.ledger import payable

BILL = 12_345


@dataclass
class Scene:
    """A house that owes a bill, and a payment of it."""

    compound: UUID
    house: UUID
    payable: UUID
    order: UUID
    attempt: UUID

    async def number(self, attempt: UUID | None = None) -> str:
        return str(
            await database.fetchval(
                "SELECT out_trade_no FROM payment_attempt WHERE id = $1", attempt or self.attempt
            )
        )

    async def states(self) -> tuple[str, str]:
        row = await database.fetchrow(
            "SELECT o.state AS o, a.state AS a FROM payment_order o JOIN payment_attempt a ON a.order_id = o.id "
            "WHERE a.id = $1",
            self.attempt,
        )
        assert row is not None
        return row["o"], row["a"]

    async def settled(self) -> int:
        return int(await database.fetchval("SELECT settled_fen FROM payable WHERE id = $1", self.payable))


async def begun(
    channel: Gateway,
    fen: int = BILL,
    *,
    prepare: bool = True,
    buyer: str = "buyer",
    product: Product = "mini_program",
) -> Scene:
    compound, house, order = uuid4(), uuid4(), uuid7()
    owed = await payable(compound, house, fen)
    async with database.transaction():
        await payables.hold([owed], orders.held_until(), order)
        await orders.open_order(NewOrder(order, compound, house, "物业缴费", [NewItem(fen, owed)], uuid4()))
        attempt = await orders.try_by(order, fen, channel, product, buyer)
    if prepare:
        await asking.prepare(attempt, "203.0.113.7")
    return Scene(compound, house, owed, order, attempt)
