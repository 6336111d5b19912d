"""What waits for one handler (消息通道): devices in turn, batch after batch.

A device that floods has its own queue to fill: the others wait for the batch that is being handled and
are in the next one.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from domains.devices.link.connection import Receipt
from domains.devices.link.message import Message
from domains.devices.link.outage import is_outage
from domains.kernel.faults import place

Handler = Callable[[list[Message]], Awaitable[None]]
Refused = Callable[[UUID, str], None]
"""Is told whose message was dropped, and why."""

LARGEST_BATCH = 500
MOST_OF_A_DEVICE = 100
"""In one batch: so many at most are handled one by one because a device sends rubbish."""
MOST_WAITING_OF_A_DEVICE = 1000
STOP_LIMIT_S = 5.0
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message, how the broker learns that it is taken, and the number of the broker's session it came in."""

    message: Message
    receipt: Receipt
    session: int


class Lane:
    """One handler and the messages of its suffix; batches begin `pace_s` apart when they follow each other."""

    def __init__(self, handler: Handler, counts: Counter[str], *, pace_s: float, refused: Refused) -> None:
        self._handler, self._counts, self._pace_s, self._refused = handler, counts, pace_s, refused
        self._waiting: dict[UUID, deque[Arrived]] = {}
        self.size = 0
        self._news = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def waiting_of(self, device: UUID) -> int:
        """How many messages of a device wait."""
        return len(self._waiting.get(device, ()))

    def oldest_at(self) -> datetime | None:
        """When the first of what waits came."""
        return min((queue[0].message.received_at for queue in self._waiting.values()), default=None)

    def add(self, arrived: Arrived) -> None:
        """Queue it behind what the same device said before."""
        self.size += 1
        self._waiting.setdefault(arrived.message.device_id, deque()).append(arrived)
        self._news.set()

    def forget(self, session: int) -> None:
        """Drop what came in that session and no handler has."""
        kept = [each for queue in self._waiting.values() for each in queue if each.session != session]
        self._waiting.clear()
        self.size = 0
        for each in kept:
            self.add(each)

    def start(self) -> None:
        """Begin to hand messages over."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Let the batch that is being handled finish, within limits."""
        self._stopping = True
        self._news.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_LIMIT_S)
            self._task.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._news.wait()
            began = loop.time()
            while not self._stopping and (batch := self._take()):
                await self._handle(batch)
                await asyncio.sleep(max(0.0, began + self._pace_s - loop.time()))
                began = loop.time()
            if self._stopping:
                return
            self._news.clear()

    def _take(self) -> list[Arrived]:
        batch: list[Arrived] = []
        for _ in range(MOST_OF_A_DEVICE):
            if not self._waiting:
                break
            for device in list(self._waiting)[: LARGEST_BATCH - len(batch)]:
                queue = self._waiting.pop(device)
                batch.append(queue.popleft())
                if queue:
                    self._waiting[device] = queue
        self.size -= len(batch)
        return batch

    async def _handle(self, batch: Sequence[Arrived]) -> None:
        try:
            await self._hand_over(batch)
        except Exception as error:  # a handler may fail in any way, and the next batch is due all the same
            if len(batch) > 1:
                for each in batch:
                    await self._handle([each])
                return
            self._give_up(batch[0].message, error)
        else:
            self._counts["handled"] += len(batch)
        for each in batch:
            each.receipt.take()

    async def _hand_over(self, batch: Sequence[Arrived]) -> None:
        """Raises what the handler raises, save for the database's absence, which is waited out."""
        pause = _SHORTEST_PAUSE_S
        while True:
            try:
                return await self._handler([each.message for each in batch])
            except Exception as error:
                if not is_outage(error):
                    raise
                self._counts["postponed"] += 1
                log.warning("mqtt.postponed", **place(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _give_up(self, message: Message, error: Exception) -> None:
        self._counts["failed"] += 1
        self._refused(message.device_id, "MESSAGE_FAILED")
        log.warning("mqtt.failed", device_id=str(message.device_id), suffix=message.suffix, **place(error))
