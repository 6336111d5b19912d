"""The loop: woken by a commit, outlives an outage, finishes what is in flight; and the rules it decides by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.delivering import wake_others, work
from domains.kernel import database
from notifications.channels.port import Aftermath, Refused, Sent, TryAgain, Unknown
from notifications.deliveries.courier import Courier
from notifications.deliveries.rules import Facts, Move, Terms, hindrance, judge
from notifications.kinds import Channel, Urgency
from notifications.rules import DELIVERY, MOST_ATTEMPTS
from tests.factories import sending
from tests.factories.sending import ALARM, PLAIN, Scripted, person, set_up, states, tell

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        yield


@asynccontextmanager
async def running(courier: Courier) -> AsyncIterator[asyncio.Event]:
    stop, woken = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(courier.run(stop, woken))
    yield woken
    stop.set()
    woken.set()
    await task


async def until(*expected: str) -> None:
    async with asyncio.timeout(10):
        while await states() != list(expected):
            await asyncio.sleep(0.01)


async def test_a_commit_wakes_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    sms, stop = Scripted(Channel.SMS), asyncio.Event()
    set_up(sms)
    original = Courier.__init__

    def drowsy(self: Courier, **given: object) -> None:
        original(self, **given, poll_s=60)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(Courier, "__init__", drowsy)
    working = asyncio.create_task(work(stop))
    await asyncio.sleep(0.3)
    wake_others()
    account = await person(Channel.SMS)
    began = time.monotonic()
    await tell(account)
    await until("sent")
    assert time.monotonic() - began < 2
    stop.set()
    await asyncio.wait_for(working, 15)


async def test_without_being_woken_it_polls() -> None:
    set_up(Scripted(Channel.SMS))
    async with running(Courier(poll_s=0.05)):
        await tell(await person(Channel.SMS))
        await until("sent")


async def test_it_outlives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(Scripted(Channel.SMS))
    await tell(await person(Channel.SMS))
    real, failures = database.fetch, [OSError(), ConnectionError(), OSError()]

    async def away(sql: str, *args: object) -> object:
        if "leased_until" in sql and failures:
            raise failures.pop()
        return await real(sql, *args)

    monkeypatch.setattr(database, "fetch", away)
    async with running(Courier(poll_s=0.02)):
        await until("sent")
    assert failures == []


async def test_stopped_it_finishes_what_is_in_flight_and_takes_up_nothing() -> None:
    sms = Scripted(Channel.SMS, gate=asyncio.Event())
    set_up(sms)
    await tell(await person(Channel.SMS))
    stop, woken = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(Courier(poll_s=0.02).run(stop, woken))
    await until("sending")
    stop.set()
    woken.set()
    await tell(await person(Channel.SMS))
    await asyncio.sleep(0.1)
    assert not task.done() and sms.gate is not None
    sms.gate.set()
    await task
    assert await states() == ["sent", "pending"]


async def test_what_does_not_end_is_left_to_another() -> None:
    sms = Scripted(Channel.SMS, is_repeatable=True, gate=asyncio.Event())
    set_up(sms)
    await tell(await person(Channel.SMS))
    stop, woken = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(Courier(poll_s=0.02, stop_limit_s=0.05, lease_s=0.3).run(stop, woken))
    await until("sending")
    stop.set()
    woken.set()
    await asyncio.wait_for(task, 2)
    assert await states() == ["sending"] and sms.gate is not None
    sms.gate.set()
    await asyncio.sleep(0.3)
    await Courier(lease_s=5).deliver()
    await sending.hurry()
    await Courier(lease_s=5).deliver()
    assert await states() == ["sent"]


FACTS = Facts(kind=PLAIN, channel=Channel.SMS, urgency=Urgency.NORMAL, expires_at=LATER)
HINDRANCES: list[tuple[dict[str, object], Move | None]] = [
    ({}, None),
    ({"expires_at": NOON}, Move("expired", "EXPIRED")),
    ({"expires_at": NOON, "kind": None}, Move("expired", "EXPIRED")),
    ({"kind": None}, Move("pending", "UNKNOWN_KIND", NOON + timedelta(minutes=1))),
    ({"has_sender": False, "is_closed": True}, Move("dead", "CHANNEL_NOT_SET_UP")),
    ({"wish": False}, Move("suppressed", "TURNED_OFF")),
    ({"wish": True}, None),
    ({"wish": False, "urgency": Urgency.URGENT}, None),
    ({"wish": False, "kind": ALARM}, None),
    ({"is_read": True}, None),
    ({"quiet": (0, 1439)}, Move("suppressed", "QUIET_HOURS")),
    ({"quiet": (0, 721)}, Move("pending", "QUIET_HOURS", NOON + timedelta(minutes=1))),
    ({"quiet": (721, 720)}, None),
    ({"quiet": (721, 722)}, None),
    ({"quiet": (0, 1439), "urgency": Urgency.HIGH}, None),
    ({"is_climb": True, "is_read": True}, Move("suppressed", "READ")),
    ({"is_climb": True, "is_read_by_anyone": True}, None),
    ({"is_digest": True}, Move("suppressed", "READ")),
    ({"is_digest": True, "unread": 1}, None),
]


@pytest.mark.parametrize(("facts", "move"), HINDRANCES)
def test_what_is_in_the_way(facts: dict[str, object], move: Move | None) -> None:
    assert hindrance(replace(FACTS, **facts), NOON) == move  # type: ignore[arg-type]  # fields by name
    assert move is None or DELIVERY.allows("sending", move.state)


TERMS = Terms(attempt=1, is_repeatable=True, is_urgent=False, expires_at=LATER)
ENDS = [
    (Sent(), None, {}, "sent"),
    (Refused("x"), None, {}, "dead"),
    (Refused("43101", aftermath=Aftermath.NO_CONSENT), None, {}, "suppressed"),
    (TryAgain("x"), None, {}, "pending"),
    (TryAgain("x"), None, {"attempt": MOST_ATTEMPTS}, "dead"),
    (TryAgain("x", after_s=3600), None, {}, "expired"),
    (TryAgain("x", after_s=-5), None, {}, "pending"),
    (Unknown("x"), None, {}, "pending"),
    (Unknown("x"), None, {"attempt": MOST_ATTEMPTS}, "uncertain"),
    (Unknown("x"), None, {"expires_at": NOON}, "uncertain"),
    (Unknown("x"), None, {"is_repeatable": False}, "uncertain"),
    (Unknown("x"), None, {"is_repeatable": False, "is_urgent": True}, "pending"),
    (Unknown("x"), True, {"is_repeatable": False}, "sent"),
    (Unknown("x"), False, {"is_repeatable": False}, "pending"),
    (Unknown("x"), False, {"is_repeatable": False, "attempt": MOST_ATTEMPTS}, "dead"),
]


@pytest.mark.parametrize(("outcome", "asked", "terms", "state"), ENDS)
def test_what_follows_from_an_answer(
    outcome: Sent | TryAgain | Refused | Unknown, asked: bool | None, terms: dict[str, object], state: str
) -> None:
    move = judge(outcome, asked, replace(TERMS, **terms), NOON)  # type: ignore[arg-type]  # fields by name
    assert move.state == state and DELIVERY.allows("sending", state)
    assert (move.due_at is not None) == (state == "pending")
    assert move.due_at is None or NOON <= move.due_at < LATER
