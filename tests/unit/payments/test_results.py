"""The loops that ask channels: one that hangs keeps nobody from asking another, and nothing that was taken up is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock, database
from domains.kernel.actor import Actor, Grant
from payments import jobs, permissions
from payments.gateways import RefundAsk, RefundSighting, Sighting
from payments.service import asking, intake, refund_sending
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from payments.service.results import Results
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, trial_balance
from tests.factories.payments import BILL, Scene, begun

pytestmark = pytest.mark.usefixtures("instance")


@dataclass
class HangingChannel(ScriptedChannel):
    """It takes every question and does not answer before it is let."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def query(self, out_trade_no: str) -> Sighting:
        await self._hang()
        return await super().query(out_trade_no)

    async def refund(self, ask: RefundAsk) -> RefundSighting:
        await self._hang()
        return await super().refund(ask)

    async def _hang(self) -> None:
        self.asked.set()
        await self.answers.wait()


@pytest.fixture
async def other() -> ScriptedChannel:
    await database.execute("UPDATE payment_attempt SET next_query_at = NULL WHERE next_query_at IS NOT NULL")
    await database.execute("UPDATE refund SET next_query_at = NULL WHERE next_query_at IS NOT NULL")
    return ScriptedChannel(channel="wechat", payee="1600000001")


@pytest.fixture
def hanging(other: ScriptedChannel) -> Iterator[HangingChannel]:
    made = HangingChannel()
    with channel_of(made, other):
        yield made


@asynccontextmanager
async def asked(hanging: HangingChannel, poll_s: float = 60) -> AsyncIterator[asyncio.Event]:
    """The loops run; what wakes them. They end once the channel answers at last."""
    stop, woken = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(Results(poll_s).run(stop, woken))
    try:
        await asyncio.wait_for(hanging.asked.wait(), 10)
        yield woken
    finally:
        hanging.answers.set()
        stop.set()
        woken.set()
        await asyncio.wait_for(running, 10)


async def is_due(*scenes: Scene) -> None:
    """The channel is asked at once."""
    await database.execute(
        "UPDATE payment_attempt SET next_query_at = $2 WHERE id = ANY($1::uuid[])",
        [each.attempt for each in scenes], clock.now(),
    )  # fmt: skip


async def becomes(look: Callable[[], Awaitable[object]], expected: object) -> None:
    """It becomes that, however long the machine takes."""
    for _ in range(500):
        if (seen := await look()) == expected:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{seen!r} did not become {expected!r}")


async def paid_at(channel: ScriptedChannel) -> Scene:
    """A payment that was paid there, of which nobody has told."""
    scene = await begun(channel)
    channel.pay(await scene.number())
    return scene


async def test_a_channel_that_never_answers_keeps_nobody_from_asking_another(
    hanging: HangingChannel, other: ScriptedChannel
) -> None:
    stuck = [await paid_at(hanging) for _ in range(25)]
    await is_due(*stuck)
    async with asked(hanging) as woken:
        for _ in range(3):
            scene = await paid_at(other)
            await is_due(scene)
            woken.set()
            await becomes(scene.states, ("paid", "succeeded"))
            assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
        assert {await each.states() for each in stuck} == {("open", "prepared")}
        assert hanging.calls["query"] == 0 and other.calls["query"] == 3
    await asking.ask_due()
    assert {await each.states() for each in stuck} == {("paid", "succeeded")}
    await check_books()


async def test_refunds_by_the_other_channel_go_meanwhile(
    hanging: HangingChannel, other: ScriptedChannel
) -> None:
    stuck = await paid_at(hanging)
    await is_due(stuck)
    async with asked(hanging) as woken:
        scene = await begun(other)
        await intake.take_notification(other, {}, other.pay(await scene.number()))
        await given_back(scene, 345)
        woken.set()
        await becomes(lambda: balance_of(scene, "refund_due"), None)
    assert await trial_balance(scene.compound) == {"clearing": BILL - 345, "receivable": 345, "income": -BILL}
    await check_books()


async def balance_of(scene: Scene, code: str) -> int | None:
    return (await trial_balance(scene.compound)).get(code)


async def given_back(scene: Scene, fen: int) -> UUID:
    def staff() -> Actor:
        held = (permissions.REFUNDS_REQUEST, permissions.REFUNDS_DECIDE)
        return Actor(
            "staff", uuid4(), name="员工", grants=tuple(Grant(each, scene.compound) for each in held)
        )

    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", scene.order)
    refund = await request_refund(
        staff(), payment_id=scene.order, parts=[RefundPart(item, fen)], reason="重复缴费"
    )
    await decide_refund(staff(), refund_id=refund, approve=True)
    return refund


async def test_what_a_loop_took_up_and_never_finished_is_taken_up_again(
    hanging: HangingChannel, other: ScriptedChannel
) -> None:
    """The loop is gone without a word: what it had comes again after its lease, and no sooner."""
    scene = await paid_at(hanging)
    await is_due(scene)
    running = asyncio.create_task(Results(60).run(asyncio.Event(), asyncio.Event()))
    await asyncio.wait_for(hanging.asked.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    hanging.answers.set()
    assert await asking.ask_due() == 0
    with clock.use(clock.FixedClock(clock.now() + timedelta(minutes=1))):
        assert await asking.ask_due() == 1
    assert await scene.states() == ("paid", "succeeded")
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await check_books()


async def test_each_channels_questions_are_its_own(hanging: HangingChannel, other: ScriptedChannel) -> None:
    hanging.answers.set()
    scenes = [await paid_at(each) for each in (hanging, other, other)]
    await is_due(*scenes)
    assert (await asking.ask_due(("wechat",)), await asking.ask_due(("wechat",))) == (2, 0)
    assert [await each.states() for each in scenes] == [("open", "prepared")] + [("paid", "succeeded")] * 2
    await given_back(scenes[1], 5)
    assert (await refund_sending.see_to_due(("alipay",)), other.calls["refund"]) == (0, 0)
    assert await jobs.ask(None) == {"payments": 1, "refunds": 1}
    assert other.calls["refund"] == 1
    await check_books()


async def test_it_ends_though_nothing_wakes_it(hanging: HangingChannel) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(Results(0.01).run(stop, asyncio.Event()))
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(running, 10)
