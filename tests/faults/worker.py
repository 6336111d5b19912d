"""Processes to be killed: started once with everything imported, it forks one per line that it reads.

A line names a role and its arguments; the answer is the process id of the fork.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

import asyncpg
from apscheduler.triggers.cron import CronTrigger
from tortoise.migrations.executor import MigrationExecutor

from api import migrating
from domains.kernel import database, outbox, waking
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.events import Event, Registry
from domains.kernel.jobs import Job, Result, Scheduler
from domains.kernel.outbox import Relay
from tests.describing import describe_now
from tests.factories.kernel import NotePosted
from tests.faults.billing_runs import billing
from tests.faults.messages import messaging, receiving, sending
from tests.faults.payments import notified, polling, refunding

APPS = {"kernel": "domains.kernel"}

EFFECTS = """
CREATE TABLE effect (place bigserial PRIMARY KEY, what text, subject text, number int, event_id uuid, pid int);
GRANT SELECT, INSERT, DELETE ON effect TO PUBLIC;
GRANT USAGE ON effect_place_seq TO PUBLIC;
"""
EFFECT = "INSERT INTO effect (what, subject, number, event_id, pid) VALUES ($1, $2, $3, $4, $5)"


def die() -> NoReturn:
    """End as a machine without power does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed")


async def effect(what: str, subject: str, number: int = 0, event_id: UUID | None = None) -> None:
    """Leave a trace, in the open transaction."""
    await database.execute(EFFECT, what, subject, number, event_id, os.getpid())


async def sign(url: str, what: str) -> None:
    """Leave a trace that is there whatever happens to the transaction."""
    connection = await asyncpg.connect(url)
    await connection.execute(EFFECT, what, "", 0, None, os.getpid())
    await connection.close()


async def first(event: Event, event_id: UUID) -> None:
    assert isinstance(event, NotePosted)
    await effect("first", event.note_id, event.place, event_id)
    await asyncio.sleep(random.random() / 15)


async def second(event: Event, event_id: UUID) -> None:
    assert isinstance(event, NotePosted)
    await asyncio.sleep(random.random() / 15)
    await effect("second", event.note_id, event.place, event_id)


async def dying(event: Event, event_id: UUID) -> None:
    await first(event, event_id)
    die()


def relay(*handlers: outbox.Handler) -> Relay:
    """One with a short lease, which does not give up: what is killed counts as an attempt."""
    return Relay(Registry([NotePosted]), {NotePosted: handlers}, park_after=10**6, poll_s=0.05, lease_s=0.6)


async def relaying(url: str, dies_at: str = "") -> None:
    """Deliver until killed; or die when a message is claimed, in its handler, or once it is handled."""
    one = relay(dying if dies_at == "handling" else first, second)
    fetchval = database.fetchval

    async def fetchval_or_die(sql: str, *args: object) -> object:
        return die() if sql == outbox.SETTLE else await fetchval(sql, *args)

    async def deliver_or_die(*_: object) -> None:
        die()

    if dies_at == "handled":
        database.fetchval = fetchval_or_die
    if dies_at == "claimed":
        Relay._deliver_one = deliver_or_die  # type: ignore[method-assign,assignment]  # this process ends there
    async with database.connected(url, APPS, pool_size=10):
        await one.run(asyncio.Event(), asyncio.Event())


async def recording(url: str, subject: str) -> None:
    """Commit an event and die before anybody is told."""

    async def waker() -> None:
        die()

    waking.wake_with({outbox.LANES[False]: waker})
    async with database.connected(url, APPS), database.transaction():
        await effect("cause", subject)
        await outbox.record(NotePosted(subject))


async def uncommitted(url: str, subject: str) -> None:
    """Die with an event written and not committed."""
    async with database.connected(url, APPS), database.transaction() as current:
        await effect("cause", subject)
        await outbox.record(NotePosted(subject))
        await current.write_collected()
        die()


@command("fault.transfer", caller="account")
async def transfer(actor: Actor, *, subject: str, idempotency_key: UUID) -> int:
    """A command with an effect, an event and a key."""
    await effect("transfer", subject)
    await outbox.record(NotePosted(subject))
    concerns("Transfer", None, None, subject=subject)
    await in_the_middle()
    return 42


async def in_the_middle() -> None:
    """Where a process that is to be killed there waits for it."""


async def transferring(url: str, account_id: str, key: str) -> None:
    """Call the command and hang inside of it."""

    async def hang() -> None:
        await sign(url, "inside")
        await asyncio.sleep(60)

    globals()["in_the_middle"] = hang
    async with database.connected(url, APPS):
        await transfer(Actor("resident", UUID(account_id)), subject="money", idempotency_key=UUID(key))


async def scheduling(url: str, how: str = "") -> None:
    """Lead or stand by; the job is due every second; or it hangs and is due every minute, or on request."""
    due_at = {"hangs": CronTrigger(minute="*"), "on_request": CronTrigger(year=2000)}

    async def work(due: datetime) -> Result:
        await effect("job", due.isoformat(), int(due.timestamp()))
        await asyncio.sleep(60 if how else 0)
        return None

    job = Job("fault.job", due_at.get(how, CronTrigger(second="*")), work, retry_after_s=0)
    async with database.connected(url, APPS):
        await Scheduler(url, [job], stand_by_s=0.2).run(asyncio.Event())


async def migrate(owner_url: str, app_url: str, dies_at: str = "") -> None:
    """Migrate; or die after the third migration, or before the rights are granted."""
    done: list[object] = []

    def emit(_: object, event: str, key: object) -> None:
        done.extend([key] if event == "apply_done" else [])
        if len(done) == 3:
            die()

    async def grant_or_die(*_: object) -> None:
        die()

    if dies_at == "applying":
        MigrationExecutor._emit = staticmethod(emit)  # type: ignore[method-assign,assignment]  # as above
    if dies_at == "granting":
        migrating._grant = grant_or_die  # type: ignore[assignment]  # as above
    await migrating.migrate(owner_url, app_url)


Role = Callable[..., Coroutine[object, object, None]]
Runner = Callable[[Coroutine[Any, Any, None]], None]  # Any: what a loop sends to and gets from it

ROLES: Mapping[str, Role] = {
    each.__name__: each
    for each in (
        relaying,
        recording,
        uncommitted,
        transferring,
        scheduling,
        migrate,
        sending,
        receiving,
        messaging,
        billing,
        notified,
        refunding,
        polling,
    )
}


def fork(role: Role, arguments: list[str], run: Runner = asyncio.run) -> int:
    """A new process that plays a role to its end."""
    pid = os.fork()
    if pid == 0:
        status = 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the pipe is for the parent's answers
        try:
            run(role(*arguments))
            status = 0
        finally:
            os._exit(status)
    return pid


def main(roles: Mapping[str, Role] = ROLES, run: Runner = asyncio.run) -> None:
    """Fork as told until there is nothing more to read."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    asyncio.run(describe_now())
    # What was imported is not looked at again, and stays the memory of all of them; what they make is gone with them.
    gc.set_threshold(100_000, 50, 100)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        role, *arguments = line.split()
        print(fork(roles[role], arguments, run), flush=True)


if __name__ == "__main__":
    main()
