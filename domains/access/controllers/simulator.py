"""Simulated controllers (模拟门禁控制器): what a controller does with an order, without a door.

They believe no more than a real one: signature, addressee, expiry by the own clock, no order twice. The
embedded program has them in its own process; over MQTT a `Controller` can stand in for a real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domains.access import signing, sql
from domains.access.controllers import orders
from domains.access.gate.reasons import Refused
from domains.devices.link.message import Message
from domains.kernel import clock, database
from domains.platforms.calling import NotSent

Keys = Mapping[bytes, Ed25519PublicKey]
Heard = Callable[[list[Message]], Awaitable[None]]

RELAY_S = 0.04
STANDS_OPEN_S = 3.0
_REMEMBERED = timedelta(minutes=1)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a controller says of an order; `moved` where the door was opened just now."""

    order_id: UUID
    result: str
    reason: str
    at: datetime
    moved: bool = False

    def payload(self) -> bytes:
        """As it is sent on the topic `ack`."""
        at = int(self.at.timestamp() * 1000)
        return orjson.dumps({"id": self.order_id, "result": self.result, "reason": self.reason, "at": at})


@dataclass(slots=True)
class Controller:
    """One controller. An order about the mode counts if it was issued later than the last one, so that of
    two that overtake each other the later stands."""

    device_id: UUID
    mode: str = "normal"
    openings: int = 0
    _mode_of: datetime = _LONG_AGO
    _answers: dict[UUID, Answer] = field(default_factory=dict)

    def take(self, message: bytes, keys: Keys, now: datetime) -> Answer | None:
        """Carry an order out; None for what is not signed for it. One that comes again gets its old answer."""
        try:
            order = orders.read(message, keys)
        except Refused:
            return None
        if order.device_id != self.device_id:
            return None
        if (known := self._answers.get(order.id)) is not None:
            return Answer(known.order_id, known.result, known.reason, known.at)
        self._answers = {id: each for id, each in self._answers.items() if each.at > now - _REMEMBERED}
        answer = self._answers[order.id] = self._carry_out(order, now)
        return answer

    def _carry_out(self, order: orders.Order, now: datetime) -> Answer:
        if now >= order.expires_at:
            return Answer(order.id, "expired", "COMMAND_EXPIRED", now)
        if order.action != "open":
            return self._change_mode(order, now)
        if self.mode == "closed":
            return Answer(order.id, "refused", "DOOR_CLOSED", now)
        self.openings += 1
        return Answer(order.id, "opened", "", now, moved=True)

    def _change_mode(self, order: orders.Order, now: datetime) -> Answer:
        if order.issued_at < self._mode_of:
            return Answer(order.id, "refused", "OVERTAKEN", now)
        self.mode, self._mode_of = order.action, order.issued_at
        return Answer(order.id, "opened", "", now, moved=order.action == "hold_open")


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a simulated controller behaves, for rehearsals of trouble."""

    delay_s: float = RELAY_S
    is_there: bool = True
    answers: bool = True
    refuses: str = ""


class Simulator:
    """A controller for every door there is. `heard` are the program's own ears, by suffix of the topic;
    `conduct` is changed by device, `taken` counts what reached each."""

    def __init__(self, heard: Mapping[str, Heard], *, stands_open_s: float = STANDS_OPEN_S) -> None:
        self.conduct: dict[UUID, Conduct] = {}
        self.taken: dict[UUID, int] = {}
        self._heard, self._stands_open_s = heard, stands_open_s
        self._controllers: dict[UUID, Controller] = {}
        self._open: set[UUID] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def controller(self, device_id: UUID) -> Controller:
        """The controller of a device."""
        return self._controllers.setdefault(device_id, Controller(device_id))

    async def send(self, device_id: UUID, order: bytes, *, expires_in_s: float) -> None:
        """See `port.Controllers`."""
        conduct = self.conduct.get(device_id, Conduct())
        if not conduct.is_there:
            raise NotSent("simulator", "nobody listens")
        self.taken[device_id] = self.taken.get(device_id, 0) + 1
        self._start(self._act(device_id, order, conduct))

    async def announce(self) -> int:
        """Have the controllers of all doors say that they are there, and how the doors stand; how many."""
        rows = await database.fetch(sql.CONTROLLERS)
        held = {row["device_id"]: row["mode"] == "held_open" for row in rows}
        news = [
            self._state(each, is_open=held[each] or each in self._open)
            for each in held
            if self.conduct.get(each, Conduct()).is_there
        ]
        if news:
            await self._heard["state"](news)
        return len(news)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _act(self, device_id: UUID, order: bytes, conduct: Conduct) -> None:
        await asyncio.sleep(conduct.delay_s)
        keys, now = await signing.public_keys(), clock.now()
        if conduct.refuses:
            answer: Answer | None = Answer(orders.read(order, keys).id, "refused", conduct.refuses, now)
        else:
            answer = self.controller(device_id).take(order, keys, now)
        if answer is None or not conduct.answers:
            return
        await self._say(Message(device_id, "ack", answer.payload(), clock.now(), retained=False))
        if answer.moved:
            await self._move(device_id)

    async def _move(self, device_id: UUID) -> None:
        self._open.add(device_id)
        await self._say(self._state(device_id, is_open=True))
        await asyncio.sleep(self._stands_open_s)
        self._open.discard(device_id)
        if self.controller(device_id).mode != "hold_open":
            await self._say(self._state(device_id, is_open=False))

    def _state(self, device_id: UUID, *, is_open: bool) -> Message:
        now = clock.now()
        said = {
            "online": True, "position": "open" if is_open else "closed", "mode": self.controller(device_id).mode,
            "at": int(now.timestamp() * 1000),
        }  # fmt: skip
        return Message(device_id, "state", orjson.dumps(said), now, retained=False)

    async def _say(self, message: Message) -> None:
        await self._heard[message.suffix]([message])

    async def aclose(self) -> None:
        """Stop them all."""
        waiting: Sequence[asyncio.Task[None]] = list(self._tasks)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
