"""Whoever takes a notification, asks a channel or sends a refund is killed at every commit of it, one after the other:
what is done again is done once, and the books say so."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import orjson
import pytest

from api.instance import Addresses
from domains.kernel import database
from domains.kernel.actor import Actor, Grant
from payments import permissions
from payments.gateways import gateways
from payments.service import asking, intake, orders, refund_sending
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from tests.conftest import administer
from tests.factories.ledger import check_books, trial_balance
from tests.factories.payments import BILL, Scene, begun
from tests.faults.conftest import Nursery
from tests.faults.payments import BOOK, KeptChannel, ask_all, decide_and_send, decider, send_all

PART: Final = 345
MOST: Final = 60


class Case(NamedTuple):
    """Who was told what, and what the books say in the end."""

    scene: Scene
    body: bytes
    books: Mapping[str, int]
    sent: int


@pytest.fixture(scope="module")
async def book(instance: object, addresses: Addresses) -> AsyncIterator[None]:
    """The platform's book, in a table of its own."""
    await administer(addresses.owner_url, BOOK)
    yield


@pytest.fixture
def channel(book: None, addresses: Addresses) -> KeptChannel:
    made = KeptChannel(url=addresses.app_url)
    gateways.fill({made.channel: made})
    return made


async def exact(channel: KeptChannel) -> Case:
    scene = await begun(channel)
    return Case(scene, channel.pay(await scene.number()), {"clearing": BILL, "income": -BILL}, 0)


async def too_much(channel: KeptChannel) -> Case:
    scene = await begun(channel)
    return Case(scene, channel.pay(await scene.number(), BILL + 55), {"clearing": BILL, "income": -BILL}, 1)


async def too_little(channel: KeptChannel) -> Case:
    scene = await begun(channel)
    books = {"clearing": 55, "suspense": -55, "receivable": BILL, "income": -BILL}
    return Case(scene, channel.pay(await scene.number(), 55), books, 0)


async def second(channel: KeptChannel) -> Case:
    """It was paid in another way already."""
    scene = await begun(channel)
    async with database.transaction():
        other = await orders.try_by(scene.order, BILL, channel, "qr")
    await asking.prepare(other)
    await intake.take_notification(channel, {}, channel.pay(await scene.number()))
    return Case(scene, channel.pay(await scene.number(other)), {"clearing": BILL, "income": -BILL}, 1)


async def given_back(channel: KeptChannel) -> Case:
    """Somebody gave some of it back at the platform itself, which is said before the payment is booked."""
    scene = await begun(channel)
    payment = channel.pay(await scene.number())
    said = {
        "id": f"R{scene.attempt.hex}", "sign": "genuine", "out_trade_no": await scene.number(), "refund_no": "X1",
        "state": "succeeded", "fen": PART,
    }  # fmt: skip
    assert (await intake.take_notification(channel, {}, orjson.dumps(said))).verdict == "held"
    return Case(scene, payment, {"clearing": BILL - PART, "suspense": PART, "income": -BILL}, 0)


async def another(channel: KeptChannel) -> Case:
    """A second transaction of a payment that is booked."""
    scene = await begun(channel)
    said = channel.pay(await scene.number())
    await intake.take_notification(channel, {}, said)
    again = orjson.dumps(
        orjson.loads(said) | {"id": f"U{scene.attempt.hex}", "channel_no": f"U{scene.attempt.hex}"}
    )
    return Case(scene, again, {"clearing": 2 * BILL, "suspense": -BILL, "income": -BILL}, 0)


async def refunded(channel: KeptChannel) -> Case:
    """A refund of ours that the platform has, and now says to have made."""
    scene, approver = await begun(channel), uuid4()
    await intake.take_notification(channel, {}, channel.pay(await scene.number()))
    refund = await asked_back(scene)
    await decide_refund(decider(scene.compound, approver), refund_id=refund, approve=True)
    channel.defers = True
    await refund_sending.see_to_due()
    assert await database.fetchval("SELECT state FROM refund WHERE id = $1", refund) == "sent"
    said = {
        "id": f"R{refund.hex}", "sign": "genuine", "out_trade_no": await scene.number(), "refund_no": refund.hex,
        "state": "succeeded", "fen": PART,
    }  # fmt: skip
    return Case(scene, orjson.dumps(said), {"clearing": BILL - PART, "receivable": PART, "income": -BILL}, 1)


@pytest.mark.parametrize("told", [exact, too_much, too_little, second, another, given_back, refunded])
async def test_whoever_takes_a_notification_dies_at_every_commit(
    addresses: Addresses,
    nursery: Nursery,
    channel: KeptChannel,
    told: Callable[[KeptChannel], Awaitable[Case]],
) -> None:
    for place in count(1):
        case = await told(channel)
        before, subject = await trial_balance(case.scene.compound), str(uuid4())
        body = base64.b64encode(case.body).decode()
        await nursery.end_of(nursery.spawn("notified", addresses.app_url, str(place), subject, body))
        answers = await finished(subject)
        if "success" not in answers:  # nobody was told that it is booked, so that it may be, or not
            assert await trial_balance(case.scene.compound) == before or await is_booked(case.scene)
        for _ in range(2):
            assert (await intake.take_notification(channel, {}, case.body)).reply.body == b"success"
        await send_all()
        assert await trial_balance(case.scene.compound) == case.books
        assert await events_of("PaymentSucceeded", case.scene) == ("paid" in await case.scene.states())
        assert await events_of("RefundEnded", case.scene) == case.sent
        await require_settled(case.scene, case.sent)
        if "all" in answers:
            break
    assert 4 < place < MOST, "the places are not where they are thought to be"


@pytest.mark.parametrize("told", [exact, too_much, too_little, second, given_back])
async def test_whoever_asks_a_channel_dies_at_every_commit(
    addresses: Addresses,
    nursery: Nursery,
    channel: KeptChannel,
    told: Callable[[KeptChannel], Awaitable[Case]],
) -> None:
    for place in count(1):
        case, subject = await told(channel), str(uuid4())
        body = base64.b64encode(case.body).decode()
        await nursery.end_of(nursery.spawn("polling", addresses.app_url, str(place), subject, body))
        await check_books()
        await ask_all()
        await send_all()
        assert await trial_balance(case.scene.compound) == case.books
        assert await events_of("PaymentSucceeded", case.scene) == ("paid" in await case.scene.states())
        await require_settled(case.scene, case.sent)
        if "all" in await finished(subject):
            break
    assert 6 < place < MOST, "the places are not where they are thought to be"


@pytest.mark.parametrize("answers", ["at_once", "defers"])
async def test_whoever_sends_a_refund_dies_at_every_commit(
    addresses: Addresses, nursery: Nursery, channel: KeptChannel, answers: str
) -> None:
    channel.defers = answers == "defers"
    for place in count(1):
        scene, approver = await begun(channel), uuid4()
        await intake.take_notification(channel, {}, channel.pay(await scene.number()))
        refund = await asked_back(scene)
        role = "refunding", addresses.app_url, str(place)
        pid = nursery.spawn(*role, str(refund), str(scene.compound), str(approver), answers)
        await nursery.end_of(pid)
        await check_books()
        await decide_and_send(refund, scene.compound, approver)
        assert await trial_balance(scene.compound) == {
            "clearing": BILL - PART, "receivable": PART, "income": -BILL,
        }  # fmt: skip
        await require_settled(scene, 1)
        if "all" in await finished(str(refund)):
            break
    assert 8 < place < MOST, "the places are not where they are thought to be"


async def finished(subject: str) -> list[str]:
    """How far the process came."""
    rows = await database.fetch("SELECT answer FROM finished WHERE subject = $1", subject)
    return [row["answer"] for row in rows]


TAKEN = """
SELECT count(*) FROM gateway_event e JOIN payment_attempt a ON a.id = e.attempt_id
WHERE e.verdict = 'taken' AND a.order_id = $1
"""


async def is_booked(scene: Scene) -> bool:
    return bool(await database.fetchval(TAKEN, scene.order))


async def events_of(event: str, scene: Scene) -> int:
    statement = "SELECT count(*) FROM outbox_message WHERE event = $1 AND payload::jsonb ->> 'order_id' = $2"
    return int(await database.fetchval(statement, event, str(scene.order)))


async def asked_back(scene: Scene) -> UUID:
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", scene.order)
    clerk = Actor("staff", uuid4(), name="员工", grants=(Grant(permissions.REFUNDS_REQUEST, scene.compound),))
    return await request_refund(
        clerk, payment_id=scene.order, parts=[RefundPart(item, PART)], reason="重复缴费"
    )


SENT = (
    "SELECT p.number FROM platform_refund p JOIN refund r ON r.out_refund_no = p.number WHERE r.order_id = $1"
)


async def require_settled(scene: Scene, sent: int) -> None:
    """So many refunds moved money, each under a number of its own; nothing is held, and nothing waits."""
    await check_books()
    assert len(await database.fetch(SENT, scene.order)) == sent
    waiting = "SELECT count(*) FROM refund WHERE order_id = $1 AND (state <> 'succeeded' OR next_query_at IS NOT NULL)"
    assert await database.fetchval(waiting, scene.order) == 0
    assert await database.fetchval("SELECT held_by FROM payable WHERE id = $1", scene.payable) is None
    live = "SELECT count(*) FROM payment_attempt WHERE order_id = $1 AND next_query_at IS NOT NULL"
    assert await database.fetchval(live, scene.order) == 0
