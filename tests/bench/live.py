"""Live updates: from a commit to the subscriber's socket, what an open subscription holds, a reconnect storm.

API, worker, subscribers and the one who commits are processes of their own on this machine, whose clock
they share.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psutil

from api.delivering import wake_others
from api.processes import prepared
from api.settings import Settings
from domains.identity.tokens import Claims, signer
from domains.kernel import database, outbox
from domains.kernel.ids import uuid7
from notifications import kinds, viewer_events
from notifications.inbox import INBOX_READ
from notifications.notifying import notify
from schema.event_cursors import event_cursor
from tests.bench.figures import Figures
from tests.bench.processes import MIB, Program, launched
from tests.bench.telling import KIND, BenchTold
from tests.journeys.instance import REPOSITORY, environment, free_port

SUBSCRIBERS, SECONDS, WARM_S = 200, 20, 2
RATE, LIGHT_RATE = 200, 50
OPEN, STORM, STORM_EACH = 5_000, 1_000, 2
GOAL_MS = 20.0
SIGN_IN = """
WITH made AS (
    INSERT INTO account (id, kind, name, language, created_at)
    SELECT id, 'resident', '住户', 'zh', now() FROM unnest($1::uuid[]) AS id RETURNING id)
INSERT INTO session (id, account_id, method, device, ip, created_at, last_seen_at, expires_at)
SELECT pair.session_id, pair.account_id, 'sms', 'bench', '127.0.0.1', now(), now(), now() + interval '1 day'
FROM unnest($1::uuid[], $2::uuid[]) AS pair (account_id, session_id)
"""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody who is signed in."""

    account_id: UUID
    token: str


class Client:
    """The process of the subscribers."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    # Any: an answer's shape is its question's
    async def ask(self, name: str, *arguments: object) -> dict[str, Any]:
        """Have it do something and wait for the answer."""
        return await asyncio.to_thread(self._ask, {name: arguments})

    def _ask(self, question: object) -> dict[str, Any]:  # Any: as above
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(question) + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = orjson.loads(self._process.stdout.readline())
        return answer

    async def open(self, who: Sequence[Subscriber], cursors: Sequence[str]) -> float:
        """All of them follow from there; seconds until each has heard what it missed."""
        pairs = [(each.token, cursor) for each, cursor in zip(who, cursors, strict=True)]
        return float((await self.ask("open", pairs))["seconds"])


@contextmanager
def beside(home: Path, *module: str, ready: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m …` with lines in and out, to the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", *module], cwd=REPOSITORY, env=environment(home, 0),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        if ready:
            assert process.stdout is not None
            process.stdout.readline()
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


async def measure(figures: Figures, home: Path) -> None:
    """All three, over private servers below `home`, which are made anew."""
    settings = Settings(home=home)
    async with prepared(settings):
        wake_others()
        kinds.registry.fill(kinds.Registry([KIND]))
        with ExitStack() as stack:
            port = free_port()
            program = stack.enter_context(launched(home, port, "tests.bench.telling", "api"))
            client = Client(stack.enter_context(beside(home, "tests.bench.listeners", str(port))))
            await _open_subscriptions(figures, program, client)
            await _storm(figures, client)
            worker = stack.enter_context(beside(home, "tests.bench.telling", "worker", ready=True))
            measured = [program.process, psutil.Process(worker.pid)]
            for rate in (LIGHT_RATE, RATE):
                await _latency(figures, client, measured, rate)


async def _subscribers(number: int) -> list[Subscriber]:
    accounts, sessions = [uuid7() for _ in range(number)], [uuid7() for _ in range(number)]
    await database.execute(SIGN_IN, accounts, sessions)
    pairs = zip(accounts, sessions, strict=True)
    return [Subscriber(account, signer().sign(Claims(account, session))) for account, session in pairs]


async def _following(client: Client, number: int) -> tuple[list[Subscriber], float]:
    """New subscribers, open; seconds it took. What each has missed shows that it is."""
    who, place = await _subscribers(number), event_cursor(await viewer_events.here())
    async with database.transaction():
        await viewer_events.tell([each.account_id for each in who], INBOX_READ)
    seconds = await client.open(who, [place] * number)
    await client.ask("heard", number, 0)
    return who, seconds


async def _latency(figures: Figures, client: Client, measured: Sequence[psutil.Process], rate: int) -> None:
    who, _ = await _following(client, SUBSCRIBERS)
    cpu = _cpu(measured)
    committed: dict[int, float] = {}
    total, load = rate * (SECONDS + WARM_S), os.getloadavg()[0]
    began = time.monotonic() + 0.5
    commits = [_commit(who[n % SUBSCRIBERS], n, began + n / rate, committed) for n in range(total)]
    answer, *_ = await asyncio.gather(client.ask("heard", total, SECONDS + WARM_S + 30), *commits)
    titles = [title for _, title, _ in answer["heard"]]
    assert sorted(map(int, titles)) == list(range(total)), f"{len(set(titles))} of {total} arrived"
    waits = [
        (at - committed[int(title)]) * 1000 for _, title, at in answer["heard"] if int(title) >= rate * WARM_S
    ]
    cuts = statistics.quantiles(waits, n=100)
    name, p99 = f"commit to socket, {rate} notifications/s for {SECONDS} s: p99", f"{cuts[98]:.1f} ms"
    if rate == RATE:
        figures.add(name, p99, f"≤ {GOAL_MS:.0f} ms", cuts[98] <= GOAL_MS)
    else:
        figures.add(name, p99)
    figures.add("… p50, worst", f"{cuts[49]:.1f} ms, {max(waits):.1f} ms")
    spent = [(now - before) / total * 1000 for now, before in zip(_cpu(measured), cpu, strict=True)]
    figures.add("… CPU of API and worker for each", f"{spent[0]:.1f} ms, {spent[1]:.1f} ms")
    figures.add("… load of the machine before", f"{load:.1f} on {os.cpu_count()} cores")
    await client.ask("close")


def _cpu(processes: Sequence[psutil.Process]) -> list[float]:
    times = [each.cpu_times() for each in processes]
    return [each.user + each.system for each in times]


async def _commit(whom: Subscriber, number: int, at: float, committed: dict[int, float]) -> None:
    async def note() -> None:
        committed[number] = time.monotonic()

    await asyncio.sleep(at - time.monotonic())
    async with database.transaction() as transaction:
        transaction.after_commit(note)
        await outbox.record(BenchTold(whom.account_id, number))


async def _open_subscriptions(figures: Figures, program: Program, client: Client) -> None:
    await _following(client, 100)  # what is made once is made now
    await client.ask("close")
    await asyncio.sleep(1)
    before = program.process.memory_info().rss
    who, seconds = await _following(client, OPEN)
    await asyncio.sleep(6)
    held = (program.process.memory_info().rss - before) / OPEN
    figures.add(f"{OPEN:,} subscriptions in one process", f"{held / 1024:.1f} KiB each")
    figures.add("… in all", f"{before / MIB:.0f} + {held * OPEN / MIB:.0f} MiB")
    figures.add("… opened, with what they had missed", f"{seconds:.1f} s ({OPEN / seconds:.0f} /s)")
    async with database.transaction():
        await notify(
            [each.account_id for each in who], KIND, {"number": 1}, dedupe_key="all", compound_id=None
        )
    told = time.monotonic()
    heard = (await client.ask("heard", OPEN, 60))["heard"]
    assert len(heard) == OPEN, f"{len(heard)} heard"
    figures.add("… one notice to all: to the last", f"{max(at for *_, at in heard) - told:.2f} s")
    cpu = await program.cpu()
    await asyncio.sleep(10)
    figures.add("… CPU while nothing happens", f"{(await program.cpu() - cpu) * 10:.1f}% of a core")
    await client.ask("close")
    await asyncio.sleep(1)


async def _storm(figures: Figures, client: Client) -> None:
    who, _ = await _following(client, STORM)
    cursors = (await client.ask("heard", 0, 0))["cursors"]
    await client.ask("close")
    for number in range(STORM_EACH):
        async with database.transaction():
            accounts = [each.account_id for each in who]
            await notify(accounts, KIND, {"number": number}, dedupe_key=f"storm {number}", compound_id=None)
    began = time.monotonic()
    await client.open(who, cursors)
    heard = (await client.ask("heard", STORM * STORM_EACH, 60))["heard"]
    seconds = max(at for *_, at in heard) - began
    each_once = {(who, title) for who, title, _ in heard}
    lost, again = STORM * STORM_EACH - len(each_once), len(heard) - len(each_once)
    figures.add(
        f"{STORM:,} clients come back at once, each having missed {STORM_EACH}",
        f"{seconds:.2f} s to the last",
    )
    figures.add("… lost, twice", f"{lost}, {again}", "0, 0", lost == again == 0)
    await client.ask("close")
