"""What telling people costs: from the event to the inbox, from there to a platform, and under fire."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from domains.kernel import database, outbox
from domains.kernel.events import Registry
from notifications.deliveries.courier import Courier
from notifications.kinds import Channel
from tests.bench.figures import Figures
from tests.factories import sending
from tests.factories.kernel import NotePosted
from tests.factories.programs import free_port
from tests.faults.conftest import Nursery
from tests.faults.messages import crowd, platforms, storm, tell

MESSAGES, UNDER_FIRE = 2_000, 10_000
IN_ANY_INBOX = "SELECT count(*) FROM notification WHERE account_id = ANY($1::uuid[])"
SENT = "SELECT count(*) FROM delivery WHERE account_id = ANY($1::uuid[]) AND state = 'sent'"


async def measure(figures: Figures, app_url: str, under_fire: int = UNDER_FIRE) -> None:
    """Everything, in an instance whose slots are filled; its workers have to be stopped."""
    nursery = Nursery()
    try:
        async with sending.cleared():
            await _to_the_inbox(figures)
        async with sending.cleared():
            await _to_a_platform(figures, nursery)
        async with sending.cleared():
            await _under_fire(figures, nursery, app_url, under_fire)
    finally:
        nursery.close()


async def _to_the_inbox(figures: Figures) -> None:
    accounts = await crowd(MESSAGES)
    sending.set_up()
    await _record(accounts)
    relay = outbox.Relay(Registry([NotePosted]), {NotePosted: (tell,)})
    started = time.perf_counter()
    while await relay.deliver():
        pass
    seconds = time.perf_counter() - started
    assert await database.fetchval(IN_ANY_INBOX, accounts) == MESSAGES
    figures.add("from the outbox to the inbox, one relay", f"{MESSAGES / seconds:.0f} messages/s per process")


async def _record(accounts: Sequence[UUID]) -> None:
    for start in range(0, len(accounts), 100):
        async with database.transaction():
            for account in accounts[start : start + 100]:
                await outbox.record(NotePosted(str(account)))


async def _to_a_platform(figures: Figures, nursery: Nursery) -> None:
    """The platform is a process of its own on the same cores, and answers at once."""
    port = free_port()
    nursery.spawn("receiving", str(port))
    await asyncio.sleep(0.5)
    for channel, name in ((Channel.WEB_PUSH, "Web Push"), (Channel.SMS, "SMS")):
        accounts = await crowd(MESSAGES, channel)
        sending.set_up()
        await sending.tell(*accounts)
        courier, stop, woken = Courier(), asyncio.Event(), asyncio.Event()
        async with platforms(f"http://127.0.0.1:{port}"):
            started = time.perf_counter()
            running = asyncio.create_task(courier.run(stop, woken))
            while await database.fetchval(SENT, accounts) < MESSAGES:
                await asyncio.sleep(0.05)
            seconds = time.perf_counter() - started
            stop.set()
            woken.set()
            await running
        figures.add(
            f"from delivery rows to a stand-in, {name}", f"{MESSAGES / seconds:.0f} messages/s per process"
        )


async def _under_fire(figures: Figures, nursery: Nursery, app_url: str, number: int) -> None:
    done = await storm(app_url, nursery, await crowd(number))
    assert (done.inboxes, done.twice, done.states) == (number, 0, Counter(sent=number)), done.states
    assert len(done.seen) == number
    again = done.seen.total() - number
    figures.add(
        f"{number:,} messages, a worker killed each second",
        f"all delivered in {done.seconds:.0f} s, {done.kills} kills, {again} repeated to the platform",
        "none lost, none twice in the inbox", done.twice == 0,
    )  # fmt: skip
