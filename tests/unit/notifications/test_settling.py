"""Settling: what follows from each answer, in one transaction, by who holds the lease and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domains.kernel import clock, database
from notifications.channels.port import Aftermath, Outcome, Refused, Sent, TryAgain, Unknown
from notifications.deliveries.claiming import claim, recover
from notifications.deliveries.courier import Courier
from notifications.deliveries.settling import Attempt, settle
from notifications.kinds import Channel
from tests.factories import sending
from tests.factories.sending import (
    ALARM,
    PLAIN,
    Scripted,
    consent,
    person,
    send_all,
    set_up,
    states,
    tell,
    tries,
)

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        yield


async def test_what_was_sent_keeps_the_platforms_id() -> None:
    set_up(Scripted(Channel.SMS, answers=[Sent("900#1")]))
    await tell(await person(Channel.SMS))
    await send_all()
    [row] = await sending.rows()
    assert (row["state"], row["reason"], row["platform_id"], row["attempts"]) == ("sent", None, "900#1", 1)
    assert row["settled_at"] is not None and row["lease_id"] is None
    assert await tries() == ["1:sent"]


async def test_try_again_waits_as_long_as_the_platform_says() -> None:
    sms = Scripted(Channel.SMS, answers=[TryAgain("429", after_s=90), TryAgain("500")])
    set_up(sms)
    fixed = clock.FixedClock(NOON)
    with clock.use(fixed):
        await tell(await person(Channel.SMS))
        await send_all()
        [row] = await sending.rows()
        assert (row["state"], row["reason"], row["due_at"]) == (
            "pending",
            "429",
            NOON + timedelta(seconds=90),
        )
        fixed.advance(timedelta(seconds=90))
        await send_all()
        [row] = await sending.rows()
        assert timedelta(seconds=2) <= row["due_at"] - clock.now() < timedelta(seconds=4)
        fixed.advance(timedelta(seconds=4))
        await send_all()
    assert (await states(), await tries()) == (["sent"], ["1:retry:429", "2:retry:500", "3:sent"])


async def test_what_would_come_too_late_is_not_tried_again() -> None:
    set_up(Scripted(Channel.SMS, answers=[TryAgain("45009", after_s=4 * 86400)]))
    await tell(await person(Channel.SMS))
    await send_all()
    assert await states() == ["expired:45009"]


async def test_a_refusal_is_final() -> None:
    sms = Scripted(Channel.SMS, answers=[Refused("isv.BLACK", "x" * 400)])
    set_up(sms)
    await tell(await person(Channel.SMS))
    await send_all()
    assert (await states(), await tries()) == (["dead:isv.BLACK"], ["1:refused:isv.BLACK"])
    assert len(await database.fetchval("SELECT detail FROM delivery_attempt")) == 300


UNKNOWN: list[tuple[bool, bool, bool | None, str]] = [
    # repeatable, urgent, what the platform answers when asked, what follows
    (True, False, None, "pending:TIMEOUT"),
    (False, False, None, "uncertain:TIMEOUT"),
    (False, False, True, "sent:TIMEOUT"),
    (False, False, False, "pending:TIMEOUT"),
    (False, True, None, "pending:TIMEOUT"),
    (False, True, True, "sent:TIMEOUT"),
]


@pytest.mark.parametrize(("repeatable", "urgent", "asked", "state"), UNKNOWN)
async def test_an_unknown_outcome(repeatable: bool, urgent: bool, asked: bool | None, state: str) -> None:
    sms = Scripted(Channel.SMS, is_repeatable=repeatable, asked=asked, answers=[Unknown("TIMEOUT")])
    set_up(sms)
    await tell(await person(Channel.SMS), kind=ALARM if urgent else PLAIN)
    await Courier(urgent=urgent).deliver()
    assert await states() == [state]
    assert len(sms.inquiries) == (not repeatable), "what may be repeated needs no asking"
    assert await tries() == ["1:unknown:TIMEOUT"]
    assert (await sending.rows())[0]["settled_at"] is None or not state.startswith("pending")


async def test_a_sender_that_raises_or_hangs_leaves_it_unknown() -> None:
    sms = Scripted(Channel.SMS, answers=[ValueError("13800000001")])
    set_up(sms)
    await tell(await person(Channel.SMS))
    await send_all()
    assert await states() == ["uncertain:SENDER_FAILED"]
    assert await database.fetchval("SELECT detail FROM delivery_attempt") == "ValueError"
    sms.gate = asyncio.Event()
    other = await person(Channel.SMS)
    await tell(other)
    await send_all(Courier(send_limit_s=0.05))
    assert await states(other) == ["uncertain:TIMED_OUT"]


async def test_a_platform_that_says_no_consent_voids_what_we_count() -> None:
    wechat = Scripted(
        Channel.WECHAT, needs_consent=True, answers=[Refused("43101", "user refuse", Aftermath.NO_CONSENT)]
    )
    set_up(wechat)
    account = await person(Channel.WECHAT)
    await consent(account, PLAIN, 3)
    await tell(account)
    await send_all()
    assert (await states(), await tries()) == (["suppressed:NO_CONSENT"], ["1:refused:43101"])
    assert await database.fetchval("SELECT count(*) FROM message_consent WHERE state <> 'void'") == 0


@pytest.mark.parametrize(
    ("answer", "state"), [(Unknown("?"), "spent"), (Refused("x"), "free"), (Sent(), "spent")]
)
async def test_a_consent_is_spent_where_the_message_may_have_gone(answer: Outcome, state: str) -> None:
    set_up(Scripted(Channel.WECHAT, needs_consent=True, answers=[answer]))
    account = await person(Channel.WECHAT)
    await consent(account, PLAIN)
    await tell(account)
    await send_all()
    assert await database.fetchval("SELECT state FROM message_consent") == state


async def test_a_dead_address_is_forgotten_and_nothing_else() -> None:
    dead = Refused("410", "gone", Aftermath.DEAD_ADDRESS)
    push, sms = Scripted(Channel.WEB_PUSH, answers=[dead]), Scripted(Channel.SMS, answers=[dead])
    set_up(push, sms, Scripted(Channel.WECHAT))
    account, other = [await person(Channel.WEB_PUSH, Channel.SMS, Channel.WECHAT) for _ in range(2)]
    await tell(account)
    await send_all()
    left = [
        row["channel"]
        for row in await database.fetch("SELECT channel FROM contact WHERE account_id = $1", account)
    ]
    assert left == ["wechat"], "what answers stays"
    assert await database.fetchval("SELECT account_id FROM push_subscription") == other
    assert await database.fetchval("SELECT count(*) FROM contact WHERE account_id = $1", other) == 2


async def test_an_address_that_was_changed_meanwhile_stays() -> None:
    sms = Scripted(
        Channel.SMS, answers=[Refused("x", aftermath=Aftermath.DEAD_ADDRESS)], gate=asyncio.Event()
    )
    set_up(sms)
    account = await person(Channel.SMS)
    await tell(account)
    going = asyncio.create_task(send_all())
    async with asyncio.timeout(5):
        while not sms.parcels:
            await asyncio.sleep(0.01)
    await database.execute("DELETE FROM contact")
    await sending.contact(account, Channel.SMS, "13900000002")
    assert sms.gate is not None
    sms.gate.set()
    await going
    assert await database.fetchval("SELECT count(*) FROM contact") == 1


async def test_a_dead_webhook_is_disabled() -> None:
    compound = uuid4()
    set_up(
        Scripted(
            Channel.WEBHOOK, is_repeatable=True, answers=[Refused("410", aftermath=Aftermath.DEAD_ADDRESS)]
        )
    )
    await sending.endpoint(compound)
    await tell(await person(), compound_id=compound)
    await send_all()
    assert await database.fetchval("SELECT disabled_at IS NOT NULL FROM webhook_endpoint")


async def test_our_fault_is_told_with_the_settling() -> None:
    set_up(Scripted(Channel.WECHAT, answers=[Refused("47003", "thing1 too long", Aftermath.OUR_FAULT)]))
    await tell(await person(Channel.WECHAT))
    await send_all()
    assert await states() == ["dead:47003"]
    payload = await database.fetchval(
        "SELECT payload::jsonb - 'version' FROM outbox_message WHERE event = 'MessageFault'"
    )
    assert all(each in payload for each in ("wechat", "47003", PLAIN.name, "thing1 too long"))


async def test_who_lost_the_lease_writes_nothing() -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    await tell(await person(Channel.SMS))
    [held] = (await claim(urgent=False, limit=8, lease_s=0.05)).ready
    assert await recover(urgent=False, limit=8, lease_s=60) == []
    await asyncio.sleep(0.1)
    [found] = await recover(urgent=False, limit=8, lease_s=60)
    assert await recover(urgent=False, limit=8, lease_s=60) == []
    assert not await settle(held, Attempt(Sent("late")))
    assert (await states(), await tries()) == (["sending"], [])
    assert await settle(found, Attempt(Unknown("WORKER_DIED")))
    assert not await settle(found, Attempt(TryAgain("twice")))
    assert (await states(), await tries()) == (["uncertain:WORKER_DIED"], ["1:unknown:WORKER_DIED"])


LOST: list[tuple[bool, bool, bool | None, str]] = [
    (True, False, None, "sent"),
    (False, False, None, "uncertain:WORKER_DIED"),
    (False, False, True, "sent:WORKER_DIED"),
    (False, False, False, "sent"),
    (False, True, None, "sent"),
]


@pytest.mark.parametrize(("repeatable", "urgent", "asked", "state"), LOST)
async def test_what_a_dead_worker_held_is_of_unknown_outcome(
    repeatable: bool, urgent: bool, asked: bool | None, state: str
) -> None:
    sms = Scripted(Channel.SMS, is_repeatable=repeatable, asked=asked)
    set_up(sms)
    await tell(await person(Channel.SMS), kind=ALARM if urgent else PLAIN)
    taken = await claim(urgent=urgent, limit=8, lease_s=0.01)
    await asyncio.sleep(0.05)
    courier = Courier(urgent=urgent, lease_s=5)
    await courier.deliver()
    await sending.hurry()
    await courier.deliver()
    assert await states() == [state]
    assert len(sms.parcels) == (state == "sent")
    if sms.inquiries:
        # The clock of the database and ours are one here; the lease is reckoned back from its end.
        assert abs(sms.inquiries[0][1] - taken.ready[0].began_at) < timedelta(seconds=6)


async def test_what_cannot_be_settled_at_once_is_settled_later(monkeypatch: pytest.MonkeyPatch) -> None:
    sms = Scripted(Channel.SMS)
    set_up(sms)
    await tell(await person(Channel.SMS))
    real, failures = database.fetchval, [ConnectionError(), ConnectionError()]

    async def away(sql: str, *args: object) -> object:
        if "tried AS" in sql and failures:
            raise failures.pop()
        return await real(sql, *args)

    monkeypatch.setattr(database, "fetchval", away)
    await Courier().deliver()
    assert (await states(), len(sms.parcels), failures) == (["sent"], 1, [])
