"""The loop that sends (投递员): takes up what is due, hands it over side by side, settles each by itself."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from domains.kernel.faults import place
from notifications.channels.port import Outcome, Unknown
from notifications.deliveries.claiming import claim, recover
from notifications.deliveries.lease import Leased
from notifications.deliveries.settling import Attempt, settle
from notifications.kinds import Channel

log = structlog.get_logger(__name__)

WORKER_DIED = Unknown("WORKER_DIED")
_SETTLING_PAUSES_S = (0.1, 0.5, 2.0, 5.0, 10.0)


@dataclass(slots=True)
class Courier:
    """Sends the deliveries of one lane. Any number of couriers may run beside each other, here and elsewhere.

    A delivery is leased for `lease_s`, which is longer than sending, asking and settling take together.
    A courier that dies is followed by another after one lease, who treats what was in its hand as of
    unknown outcome. At most `share` are in flight by one channel, and `slots` in all: as many as the
    shares of all channels together, so that however many platforms hang they hold up none that answers.
    """

    urgent: bool = False
    slots: int = 32 * len(Channel)
    share: int = 32
    lease_s: float = 60.0
    send_limit_s: float = 30.0
    ask_limit_s: float = 10.0
    poll_s: float = 1.0
    stop_limit_s: float = 10.0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _flying: Counter[Channel] = field(default_factory=Counter, init=False)
    _room_again: asyncio.Event | None = field(default=None, init=False)
    _recovered_at: float = field(default=float("-inf"), init=False)

    async def run(self, stop: asyncio.Event, woken: asyncio.Event) -> None:
        """Send until `stop`, then finish what is in flight, at most `stop_limit_s`; what is not finished
        then is settled by another courier."""
        self._room_again = woken
        try:
            while not stop.is_set():
                woken.clear()
                if not await self._take_up_or_outlive():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(woken.wait(), self.poll_s)
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=self.stop_limit_s)
        finally:
            for task in self._tasks:
                task.cancel()

    async def deliver(self) -> int:
        """Take up once and wait until it is settled; the number taken up."""
        number = await self._take_up()
        await asyncio.gather(*self._tasks)
        return number

    async def _take_up_or_outlive(self) -> int:
        try:
            return await self._take_up()
        except Exception as error:  # the database may be away for a while; the courier outlives it
            log.error("deliveries.unreachable", **place(error))
            return 0

    async def _take_up(self) -> int:
        found = await self._recover()
        limit, full = self._room()
        if limit < self.share // 4:
            return found
        taken = await claim(urgent=self.urgent, limit=limit, lease_s=self.lease_s, without=full)
        self._start(taken.ready, lost=False)
        return found + taken.number

    def _room(self) -> tuple[int, list[Channel]]:
        """How many may be taken up, and the channels of which none: by few at a time claims would cost
        more than what they bring."""
        full = [each for each, number in self._flying.items() if number > self._refill_at]
        most = max((number for each, number in self._flying.items() if each not in full), default=0)
        return min(self.slots - len(self._tasks), self.share - most), full

    @property
    def _refill_at(self) -> int:
        return self.share * 3 // 4

    async def _recover(self) -> int:
        if time.monotonic() - self._recovered_at < self.lease_s / 10:
            return 0
        self._recovered_at = time.monotonic()
        limit = self.slots - len(self._tasks)
        found = await recover(urgent=self.urgent, limit=limit, lease_s=self.lease_s) if limit > 0 else []
        self._start(found, lost=True)
        return len(found)

    def _start(self, leased: Iterable[Leased], *, lost: bool) -> None:
        for each in leased:
            task = asyncio.create_task(self._carry(each, lost))
            self._tasks.add(task)
            self._flying[each.channel] += 1
            task.add_done_callback(lambda task, channel=each.channel: self._landed(task, channel))  # type: ignore[misc]  # a default is how a lambda keeps the loop's value

    def _landed(self, task: asyncio.Task[None], channel: Channel) -> None:
        self._tasks.discard(task)
        self._flying[channel] -= 1
        if self._room_again is not None and self._flying[channel] == self._refill_at:
            self._room_again.set()

    async def _carry(self, held: Leased, lost: bool) -> None:
        outcome: Outcome = WORKER_DIED if lost else await self._send(held)
        was_sent = await self._ask(held) if isinstance(outcome, Unknown) else None
        await self._settle(held, Attempt(outcome, was_sent))

    async def _send(self, held: Leased) -> Outcome:
        assert held.sender is not None and held.parcel is not None, "what is ready has both"
        try:
            async with asyncio.timeout(self.send_limit_s):
                return await held.sender.send(held.parcel)
        except TimeoutError:
            return Unknown("TIMED_OUT")
        except Exception as error:  # a mistake of the adapter's: how far it came nobody knows
            log.error("delivery.sender_failed", channel=held.channel, **place(error))
            return Unknown("SENDER_FAILED", type(error).__name__)

    async def _ask(self, held: Leased) -> bool | None:
        """Whether it was sent, where the platform can be asked and a repetition would be a second message."""
        if held.is_repeatable or held.sender is None or held.parcel is None:
            return None
        try:
            async with asyncio.timeout(self.ask_limit_s):
                return await held.sender.was_sent(held.parcel, held.began_at)
        except Exception as error:  # what cannot be learned is not known
            log.warning("delivery.not_asked", channel=held.channel, **place(error))
            return None

    async def _settle(self, held: Leased, attempt: Attempt) -> None:
        """Try for a while: what is not written down would be sent again, or stay uncertain."""
        for pause_s in (*_SETTLING_PAUSES_S, None):
            try:
                await settle(held, attempt)
                return
            except Exception as error:  # the database is away, or somebody was in the way
                log.error("delivery.not_settled", delivery=str(held.id), **place(error))
            if pause_s is not None:
                await asyncio.sleep(pause_s)
