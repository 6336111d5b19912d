"""News as it happens (实时推送): from whichever process to whoever listens in any other, through Valkey.

What travels is ids; whoever listens reads what they may see. It is a convenience beside the rows: a
listener who may have missed something (Valkey was away, the line was slow) is told so and reads again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domains.kernel import database
from domains.kernel.errors import Unavailable
from domains.kernel.faults import place
from domains.kernel.slots import Slot

PREFIX = "linli:live:"
MOST_WAITING = 100
SEND_LIMIT_S = 0.25
START_LIMIT_S = 5.0
News = Mapping[str, Any]  # Any: JSON values

log = structlog.get_logger(__name__)


class Listener:
    """The news of one channel, for one who takes them one by one; at most 100 wait."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[News | Unavailable] = asyncio.Queue(MOST_WAITING)

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> News:
        """The next; Unavailable LIVE_TOO_SLOW or LIVE_INTERRUPTED where some may be lost: there are no more."""
        item = await self._waiting.get()
        if isinstance(item, Unavailable):
            raise item
        return item

    def give(self, news: News) -> bool:
        """Whether there was room; without room the listener is cut."""
        if self._waiting.full():
            self.cut(Unavailable("LIVE_TOO_SLOW", "网络较慢,部分更新没有送达,请刷新后重试"))
            return False
        self._waiting.put_nowait(news)
        return True

    def cut(self, reason: Unavailable) -> None:
        """End it: what waits is dropped, for there would be a gap after it."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(reason)


class Hub:
    """One connection of this process to Valkey, opened for the first listener, and its listeners.

    It takes the news of all channels: one subscription for a process, however many listen and leave.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        # A listener that was abandoned before anybody iterated it goes by itself.
        self._listeners: defaultdict[str, WeakSet[Listener]] = defaultdict(WeakSet)
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def send(self, channel: str, news: News) -> None:
        """To every listener of every process. Raises RedisError or TimeoutError."""
        async with asyncio.timeout(SEND_LIMIT_S):
            await self._client.publish(PREFIX + channel, orjson.dumps(news))

    async def listen(self, channel: str) -> Listener:
        """From now on nothing is missed. Raises Unavailable LIVE_INTERRUPTED where Valkey is away."""
        if self._reader is None or self._reader.done():
            self._ready = asyncio.Event()
            self._reader = asyncio.create_task(self._read(self._ready))
        reader = self._reader
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await self._ready.wait()
        except TimeoutError:
            raise _interrupted() from None
        if reader.done():
            raise _interrupted()
        listener = Listener()
        self._listeners[channel].add(listener)
        return listener

    def leave(self, channel: str, listener: Listener) -> None:
        """The listener has had enough."""
        self._listeners[channel].discard(listener)
        if not self._listeners[channel]:
            del self._listeners[channel]

    def listening(self, channel: str) -> int:
        """How many listen to a channel here."""
        return len(self._listeners.get(channel, ()))

    async def aclose(self) -> None:
        """Stop; who still listens is cut."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self, ready: asyncio.Event) -> None:
        try:
            async with self._client.pubsub() as feed:
                await feed.psubscribe(f"{PREFIX}*")
                while True:
                    message = await feed.get_message(timeout=None)
                    if message is not None:
                        self._take(message, ready)
        except (RedisError, OSError) as error:
            log.warning("live.lost", **place(error))
        finally:
            ready.set()
            self._cut_all()

    def _take(self, message: Mapping[str, Any], ready: asyncio.Event) -> None:  # Any: as the library gives it
        if message["type"] == "pmessage":
            self._deliver(message["channel"].decode().removeprefix(PREFIX), orjson.loads(message["data"]))
        elif message["type"] == "psubscribe":
            # A second time: the library found the connection broken and made another, silently.
            if ready.is_set():
                self._cut_all()
            ready.set()

    def _deliver(self, channel: str, news: News) -> None:
        for listener in list(self._listeners.get(channel, ())):
            if not listener.give(news):
                self.leave(channel, listener)

    def _cut_all(self) -> None:
        everybody = [listener for listeners in self._listeners.values() for listener in listeners]
        self._listeners.clear()
        for listener in everybody:
            listener.cut(_interrupted())


hub: Slot[Hub] = Slot("live")


async def publish(channel: str, news: News) -> None:
    """Send after the commit of the open transaction, or at once outside of one; ids and facts, no
    personal data. Where Valkey is away nobody is told, and nothing fails."""

    async def send() -> None:
        try:
            await hub().send(channel, news)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("live.unsent", **place(error))

    transaction = database.open_transaction()
    if transaction is None:
        await send()
    else:
        transaction.after_commit(send)


def _interrupted() -> Unavailable:
    return Unavailable("LIVE_INTERRUPTED", "实时更新中断,请刷新后重试")
