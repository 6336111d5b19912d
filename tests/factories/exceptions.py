"""Payments that went wrong the short way: what is open, who settles it, and what the books say then."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

import orjson

from domains.kernel import database
from domains.kernel.actor import Actor, Grant
from payments import permissions
from payments.service import intake
from payments.service.exception_settling import settle_payment_exception
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from tests.factories.channel import ScriptedChannel
from tests.factories.ledger import check_books, trial_balance
from tests.factories.payments import BILL, Scene, begun

PAID = 5_000
EVERYTHING = (permissions.REFUNDS_REQUEST, permissions.REFUNDS_DECIDE)


async def always(_: UUID) -> bool:
    """A part of a bill may be paid everywhere."""
    return True


async def never(_: UUID) -> bool:
    """It may be paid nowhere."""
    return False


def clerk(compound: UUID, *held: str) -> Actor:
    """Somebody of the staff, who may do all of it unless told otherwise."""
    grants = tuple(Grant(each, compound) for each in held or EVERYTHING)
    return Actor(kind="staff", account_id=uuid4(), name="员工", grants=grants)


async def open_of(scene: Scene) -> list[tuple[str, UUID, int]]:
    """What is open: kind, id and amount."""
    rows = await database.fetch(
        "SELECT kind, id, amount_fen FROM payment_exception WHERE compound_id = $1 AND closed_at IS NULL ORDER BY id",
        scene.compound,
    )
    return [(row["kind"], row["id"], row["amount_fen"]) for row in rows]


async def only(scene: Scene, kind: str, fen: int) -> UUID:
    """The one thing that is open."""
    [(found, id, amount_fen)] = await open_of(scene)
    assert (found, amount_fen) == (kind, fen)
    return id


async def settle(scene: Scene, id: UUID, action: str, who: Actor | None = None, note: str = "已核对") -> UUID:
    """Somebody does one of the things that fit."""
    return await settle_payment_exception(
        who or clerk(scene.compound), exception_id=id, action=action, note=note
    )


async def how(id: UUID) -> tuple[str | None, bool, bool]:
    """By which action it was closed, whether it is closed, and whether by somebody."""
    row = await database.fetchrow(
        "SELECT action, closed_at IS NOT NULL AS over, closed_by IS NOT NULL AS by FROM payment_exception WHERE id = $1",
        id,
    )
    assert row is not None
    return row["action"], row["over"], row["by"]


async def require(scene: Scene, books: Mapping[str, int]) -> None:
    """The whole ledger, and that every journal balances."""
    assert await trial_balance(scene.compound) == books
    await check_books()


async def paid(channel: ScriptedChannel, fen: int = BILL) -> Scene:
    """A payment of which so much was paid."""
    scene = await begun(channel)
    await intake.take_notification(channel, {}, channel.pay(await scene.number(), fen))
    return scene


async def short(channel: ScriptedChannel) -> tuple[Scene, UUID]:
    """A payment of which too little was paid, and its exception."""
    scene = await paid(channel, PAID)
    return scene, await only(scene, "underpaid", PAID)


async def told(channel: ScriptedChannel, scene: Scene, number: str, fen: int, total: int = 0) -> None:
    """The platform says that somebody refunded there: so much under a number, or so much in all."""
    said = {
        "id": f"{scene.attempt}:{number}:{total}", "sign": "genuine", "out_trade_no": await scene.number(),
        "refund_no": number, "state": "processing" if total else "succeeded", "fen": fen, "given_back": total,
    }  # fmt: skip
    assert (await intake.take_notification(channel, {}, orjson.dumps(said))).verdict == "taken"


async def asked_back(scene: Scene, fen: int) -> UUID:
    """A refund that somebody asks for."""
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", scene.order)
    parts = [RefundPart(item, fen)]
    return await request_refund(clerk(scene.compound), payment_id=scene.order, parts=parts, reason="重复缴费")


async def approved(scene: Scene, fen: int) -> UUID:
    """The same, approved by another."""
    refund = await asked_back(scene, fen)
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=True)
    return refund
