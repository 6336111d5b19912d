"""Waking who listens (实时唤醒): from whichever process to every other, through Valkey.

A wake-up says that there may be something to read, and nothing else: it may be lost, and it may come
for nothing. Whoever listens reads from its place in the database, so that a lost one costs time and no
event: all are woken by turns anyway, and when Valkey is back after it was away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis

from domains.kernel import database
from domains.kernel.faults import place
from domains.kernel.slots import Slot

CHANNEL = "linli:live"
MOST_NAMES = 500
SEND_LIMIT_S = 0.25
LISTEN_AGAIN_S = 1.0
TURNS = 30
TURN_S = 1.0

log = structlog.get_logger(__name__)


class Hub:
    """One connection of this process to Valkey, opened for the first listener, and the bells of all."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def send(self, names: Sequence[str]) -> None:
        """Wake who listens for one of these, in every process. Raises RedisError, OSError or TimeoutError."""
        async with asyncio.timeout(SEND_LIMIT_S), self._client.pipeline(transaction=False) as messages:
            for start in range(0, len(names), MOST_NAMES):
                messages.publish(CHANNEL, orjson.dumps(list(names[start : start + MOST_NAMES])))
            await messages.execute()

    @contextmanager
    def listening(self, name: str) -> Iterator[asyncio.Event]:
        """A bell for as long as the block runs, set whenever there may be something to read, as there may
        be at the start. Who hears it clears it and reads: it never counts what it was rung for."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(each) for each in (self._hear(), self._ring_by_turns())]
        bell = asyncio.Event()
        bell.set()
        self._bells.setdefault(name, set()).add(bell)
        try:
            yield bell
        finally:
            self._bells[name].discard(bell)
            if not self._bells[name]:
                del self._bells[name]

    def listeners(self) -> int:
        """How many listen in this process."""
        return sum(map(len, self._bells.values()))

    async def aclose(self) -> None:
        """Stop; nobody is woken any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hear(self) -> None:
        while True:
            try:
                async with self._client.pubsub() as feed:
                    await feed.subscribe(CHANNEL)
                    while True:
                        self._take(await feed.get_message(timeout=None))
            except Exception as error:  # Valkey is away, or somebody writes nonsense: nobody goes deaf
                log.warning("live.lost", **place(error))
            await asyncio.sleep(LISTEN_AGAIN_S)

    def _take(self, message: Mapping[str, Any] | None) -> None:  # Any: as the library gives it
        if message is None:
            return
        if message["type"] == "message":
            self._ring(orjson.loads(message["data"]))
        elif message["type"] == "subscribe":
            # The library makes a broken connection anew and says no more of it than this.
            self._ring(self._bells)

    async def _ring_by_turns(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(TURN_S)
            turn = (turn + 1) % TURNS
            self._ring([name for name in self._bells if hash(name) % TURNS == turn])

    def _ring(self, names: Iterable[str]) -> None:
        for name in names:
            for bell in self._bells.get(name, ()):
                bell.set()


hub: Slot[Hub] = Slot("live")


class _Wake:
    """All whom one transaction wakes."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    async def __call__(self) -> None:
        await _send(list(self.names))


async def wake(names: Iterable[str]) -> None:
    """Wake who listens for one of these after the commit of the open transaction, or at once outside of
    one. Where Valkey is away nobody is woken, and nothing fails."""
    current = database.open_transaction()
    if current is None:
        await _send(list(names))
        return
    pending = next((each for each in current.callbacks if isinstance(each, _Wake)), None)
    if pending is None:
        pending = _Wake()
        current.after_commit(pending)
    pending.names.update(dict.fromkeys(names))


async def _send(names: Sequence[str]) -> None:
    if not names:
        return
    try:
        await hub().send(names)
    except Exception as error:  # the rows are there: whoever listens finds them a little later
        log.warning("live.unsent", **place(error))
