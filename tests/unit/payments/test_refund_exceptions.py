"""What people do about refunds that went wrong, ours and those made at the platform itself; each test states the books."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict, Forbidden
from domains.platforms.calling import OutcomeUnknown
from payments import permissions
from payments.part_payment import allows_part
from payments.service import refund_requests, refund_sending
from payments.service.refund_requests import decide_refund
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.exceptions import (
    PAID,
    always,
    approved,
    asked_back,
    clerk,
    how,
    only,
    open_of,
    paid,
    require,
    settle,
    short,
    told,
)
from tests.factories.payments import BILL, Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(params=["wechat", "alipay"])
def channel(request: pytest.FixtureRequest) -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel(request.param)) as made:
        yield made


@pytest.fixture(autouse=True)
def parts() -> None:
    """A part of a bill may be paid everywhere."""
    allows_part.fill(always)


async def test_a_refund_at_the_platform_is_booked_out_of_the_bill(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    await told(channel, scene, "X1", 400)
    id = await only(scene, "channel_refund", 400)
    await require(scene, {"clearing": BILL - 400, "suspense": 400, "income": -BILL})
    await settle(scene, id, "book")
    await require(scene, {"clearing": BILL - 400, "receivable": 400, "income": -BILL})
    with pytest.raises(Conflict, match="REFUND_TOO_MUCH"):
        await asked_back(scene, BILL - 399)
    await asked_back(scene, BILL - 400)


async def test_what_went_back_and_is_spent_is_written_off_by_two(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    await told(channel, scene, "X1", 400)
    id = await only(scene, "channel_refund", 400)
    asker = clerk(scene.compound, permissions.REFUNDS_REQUEST)
    await settle(scene, id, "write_off", asker, "住户已搬走，追不回")
    with pytest.raises(Forbidden, match=r"FORBIDDEN|EXCEPTION_OWN"):
        await settle(scene, id, "write_off", asker)
    with pytest.raises(Forbidden, match="FORBIDDEN"):
        await settle(scene, id, "write_off", clerk(scene.compound, permissions.REFUNDS_REQUEST))
    await require(scene, {"clearing": BILL - 400, "suspense": 400, "income": -BILL})
    await settle(scene, id, "write_off")
    assert await how(id) == ("write_off", True, True)
    await require(scene, {"clearing": BILL - 400, "write_off": 400, "income": -BILL})


async def test_whoever_asks_for_a_loss_does_not_confirm_it(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    await told(channel, scene, "X1", 400)
    id, who = await only(scene, "channel_refund", 400), clerk(scene.compound)
    await settle(scene, id, "write_off", who)
    with pytest.raises(Forbidden, match="EXCEPTION_OWN"):
        await settle(scene, id, "write_off", who)
    done = await asyncio.gather(*(settle(scene, id, "write_off") for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, UUID) for each in done) == 1
    await require(scene, {"clearing": BILL - 400, "write_off": 400, "income": -BILL})


async def test_too_little_that_the_platform_gave_back_by_itself_is_over(channel: ScriptedChannel) -> None:
    scene, id = await short(channel)
    await told(channel, scene, "X1", 2_000)
    assert await only(scene, "underpaid", PAID - 2_000) == id
    await told(channel, scene, "X2", PAID - 2_000)
    assert (await how(id), await open_of(scene)) == ((None, True, False), [])
    await require(scene, {"receivable": BILL, "income": -BILL})


async def test_what_was_applied_and_goes_back_is_owed_again(channel: ScriptedChannel) -> None:
    scene, id = await short(channel)
    await settle(scene, id, "apply")
    await told(channel, scene, "X1", 3_000)
    await settle(scene, await only(scene, "channel_refund", 3_000), "book")
    await require(scene, {"clearing": PAID - 3_000, "receivable": BILL - PAID + 3_000, "income": -BILL})
    await told(channel, scene, "X2", PAID - 3_000)
    await settle(scene, await only(scene, "channel_refund", PAID - 3_000), "book")
    await require(scene, {"receivable": BILL, "income": -BILL})


async def test_what_was_prepaid_and_goes_back_leaves_the_prepayment(channel: ScriptedChannel) -> None:
    scene, id = await short(channel)
    await settle(scene, id, "prepay")
    await told(channel, scene, "X1", PAID)
    await settle(scene, await only(scene, "channel_refund", PAID), "book")
    await require(scene, {"receivable": BILL, "income": -BILL})


@pytest.mark.parametrize("tells_all", [False, True])
async def test_a_refund_that_had_no_room_is_booked_once_there_is_some(
    channel: ScriptedChannel, tells_all: bool
) -> None:
    scene = await paid(channel)
    refund = await asked_back(scene, 500)
    await told(channel, scene, "X1", 0 if tells_all else BILL, BILL if tells_all else 0)
    kinds = {(kind, fen): id for kind, id, fen in await open_of(scene)}
    assert set(kinds) == {("channel_refund", 500), ("channel_refund", BILL - 500)}
    await settle(scene, kinds["channel_refund", BILL - 500], "book")
    with pytest.raises(Conflict, match="EXCEPTION_BLOCKED"):
        await settle(scene, kinds["channel_refund", 500], "book")
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=False, note="平台已退")
    await require(scene, {"clearing": 500, "receivable": BILL - 500, "income": -BILL})
    await settle(scene, kinds["channel_refund", 500], "book")
    assert await open_of(scene) == []
    await require(scene, {"receivable": BILL, "income": -BILL})


async def test_what_had_no_room_closes_once_the_channel_tells_the_sum_again(channel: ScriptedChannel) -> None:
    scene = await paid(channel)
    refund = await asked_back(scene, BILL)
    await told(channel, scene, "X1", 0, 300)
    id = await only(scene, "channel_refund", 300)
    await told(channel, scene, "X2", 0, 450)
    assert await only(scene, "channel_refund", 450) == id
    await decide_refund(clerk(scene.compound), refund_id=refund, approve=False, note="平台已退")
    await told(channel, scene, "X3", 0, 460)
    assert await how(id) == (None, True, False)
    await settle(scene, await only(scene, "channel_refund", 460), "book")
    await require(scene, {"clearing": BILL - 460, "receivable": 460, "income": -BILL})


async def test_a_refund_that_failed_and_was_done_by_hand_at_the_platform_has_ended(
    channel: ScriptedChannel,
) -> None:
    scene = await paid(channel)
    channel.refund_state = "abnormal"
    refund = await approved(scene, BILL)
    await refund_sending.see_to_due()
    await told(channel, scene, "X1", BILL)
    kinds = {kind: id for kind, id, _ in await open_of(scene)}
    assert set(kinds) == {"refund_abnormal", "channel_refund"}
    await settle(scene, kinds["channel_refund"], "book", note="财务在商户平台退的")
    assert await database.fetchval("SELECT state FROM refund WHERE id = $1", refund) == "succeeded"
    assert await open_of(scene) == []
    await told(channel, scene, "X1", BILL, 0)
    assert await open_of(scene) == []
    await require(scene, {"receivable": BILL, "income": -BILL})


async def test_part_of_a_payment_that_was_refunded_by_hand_leaves_what_was_set_aside(
    channel: ScriptedChannel,
) -> None:
    scene = await paid(channel)
    channel.refund_state = "abnormal"
    refund = await approved(scene, 500)
    await refund_sending.see_to_due()
    await told(channel, scene, "X1", 500)
    kinds = {kind: id for kind, id, _ in await open_of(scene)}
    await settle(scene, kinds["channel_refund"], "book", note="财务在商户平台退的")
    assert await database.fetchval("SELECT state FROM refund WHERE id = $1", refund) == "closed"
    assert (await how(kinds["refund_abnormal"]), await open_of(scene)) == (("book", True, True), [])
    await require(scene, {"clearing": BILL - 500, "receivable": 500, "income": -BILL})
    await asked_back(scene, BILL - 500)


async def test_what_was_kept_and_then_went_all_the_same_leaves_the_prepayment(
    channel: ScriptedChannel,
) -> None:
    scene = await paid(channel)
    channel.refund_state = "abnormal"
    refund = await approved(scene, 500)
    await refund_sending.see_to_due()
    await settle(scene, await only(scene, "refund_abnormal", 500), "prepay")
    await told(channel, scene, refund.hex, 500)
    id = await only(scene, "channel_refund", 500)
    await settle(scene, id, "book")
    await require(scene, {"clearing": BILL - 500, "receivable": 500, "income": -BILL})
    await told(channel, scene, refund.hex, 500, 0)
    assert await open_of(scene) == []


async def test_a_refund_that_did_not_arrive_is_sent_again_and_may_fail_again(
    channel: ScriptedChannel,
) -> None:
    scene = await paid(channel)
    channel.refund_state = "abnormal"
    refund = await approved(scene, 500)
    await refund_sending.see_to_due()
    first = await only(scene, "refund_abnormal", 500)
    await settle(scene, first, "retry")
    assert await how(first) == ("retry", True, True)
    await refund_sending.see_to_due()
    again = await only(scene, "refund_abnormal", 500)
    assert again != first
    channel.refunds.clear()
    channel.refund_state = "succeeded"
    await refund_requests.retry_refund(clerk(scene.compound), refund_id=refund)
    assert await how(again) == ("retry", True, True)
    await refund_sending.see_to_due()
    await require(scene, {"clearing": BILL - 500, "receivable": 500, "income": -BILL})


async def silent_refund(channel: ScriptedChannel) -> tuple[Scene, UUID, UUID]:
    """A refund that nobody has answered for three days, and its exception."""
    scene = await paid(channel)
    refund = await approved(scene, 500)
    channel.fails["refund"] = channel.fails["query_refund"] = OutcomeUnknown(channel.channel, "ReadTimeout")
    await database.execute("UPDATE refund SET queries = 20 WHERE id = $1", refund)
    with clock.use(FixedClock(clock.now() + timedelta(days=3, minutes=1))):
        await refund_sending.see_to(refund)
    return scene, refund, await only(scene, "refund_stuck", 500)


async def test_a_refund_nobody_answers_for_is_asked_about(channel: ScriptedChannel) -> None:
    scene, refund, id = await silent_refund(channel)
    channel.fails.clear()
    await settle(scene, id, "ask", note="")
    assert await how(id) == (None, False, False)
    await refund_sending.see_to_due()
    assert await how(id) == (None, True, False)
    assert await database.fetchval("SELECT state FROM refund WHERE id = $1", refund) == "succeeded"
    await require(scene, {"clearing": BILL - 500, "receivable": 500, "income": -BILL})


async def test_a_refund_nobody_answers_for_went_if_two_people_say_so(channel: ScriptedChannel) -> None:
    scene, refund, id = await silent_refund(channel)
    await settle(scene, id, "book")
    await require(scene, {"clearing": BILL, "receivable": 500, "refund_due": -500, "income": -BILL})
    await settle(scene, id, "book")
    assert await database.fetchval("SELECT state FROM refund WHERE id = $1", refund) == "succeeded"
    assert await how(id) == ("book", True, True)
    await require(scene, {"clearing": BILL - 500, "receivable": 500, "income": -BILL})


async def test_a_refund_nobody_answers_for_becomes_a_prepayment(channel: ScriptedChannel) -> None:
    scene, refund, id = await silent_refund(channel)
    await settle(scene, id, "prepay")
    assert await database.fetchval("SELECT state FROM refund WHERE id = $1", refund) == "closed"
    assert await how(id) == ("prepay", True, True)
    await require(scene, {"clearing": BILL, "receivable": 500, "prepayment": -500, "income": -BILL})
