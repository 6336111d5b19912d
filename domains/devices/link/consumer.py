"""Who takes what devices say (消息接收): a handler per suffix, each with a lane of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from paho.mqtt.client import MQTTMessage

from domains.devices.link.connection import RECEIVE_MAXIMUM, Receipt
from domains.devices.link.lane import MOST_WAITING_OF_A_DEVICE, Arrived, Handler, Lane, Refused
from domains.devices.link.message import ANY, LARGEST_PAYLOAD, Message, device_and_suffix, topic
from domains.kernel import clock

SESSION_KEPT_S = 3600
_CODES = {"oversized": "PAYLOAD_TOO_LARGE", "flooded": "DEVICE_TOO_OFTEN"}


def _nobody(_: UUID, __: str) -> None:
    """Who listens for answers to orders alone keeps no record of what else came."""


class Consumer:
    """Handlers by suffix; a handler is given a batch and returns when it is committed.

    A durable one loses nothing while it is away for less than an hour, under its client id. One process at a
    time is that client: a broker deals shared subscriptions to members that are away, too, and with the
    last of them goes what was dealt to it.

    `counts`: received, handled, failed (a handler's refusal of a message), postponed (the database was away),
    foreign (topic or device id not ours), oversized, flooded (more of a device than may wait). `refused` is told
    of a device's failed, oversized and flooded ones, by code.
    """

    def __init__(
        self,
        routes: Mapping[str, Handler],
        *,
        durable: bool = False,
        pace_s: float = 0.02,
        refused: Refused = _nobody,
    ) -> None:
        self._refused = refused
        self.counts: Counter[str] = Counter()
        self._session = 0
        self.kept_s = SESSION_KEPT_S if durable else 0
        self.topics = [topic(ANY, suffix) for suffix in routes]
        self._lanes = {
            suffix: Lane(handler, self.counts, pace_s=pace_s, refused=refused)
            for suffix, handler in routes.items()
        }

    def waiting(self) -> int:
        """How many messages no handler has yet."""
        return sum(lane.size for lane in self._lanes.values())

    def oldest_s(self) -> float:
        """For how many seconds the first of them has waited."""
        first = [at for lane in self._lanes.values() if (at := lane.oldest_at()) is not None]
        return max(0.0, (clock.now() - min(first)).total_seconds()) if first else 0.0

    def received(self, message: MQTTMessage, receipt: Receipt) -> None:
        """Queue a message, or count why it is dropped; what is dropped is acknowledged."""
        self.counts["received"] += 1
        arrived = _read(message)
        reason = "foreign" if arrived is None else self._objection(arrived, message.qos)
        if arrived is None or reason:
            self.counts[reason] += 1
            receipt.take()
        else:
            self._lanes[arrived.suffix].add(Arrived(arrived, receipt, self._session))
        if arrived is not None and reason in _CODES:
            self._refused(arrived.device_id, _CODES[reason])

    def _objection(self, message: Message, qos: int) -> str:
        lane = self._lanes.get(message.suffix)
        if lane is None:
            return "foreign"
        if len(message.payload) > LARGEST_PAYLOAD:
            return "oversized"
        # QoS 1 has the protocol's bound, but for what a broker that lost its memory makes us keep.
        if self.waiting() >= RECEIVE_MAXIMUM * (2 if qos else 1):
            return "flooded"
        return "flooded" if lane.waiting_of(message.device_id) >= MOST_WAITING_OF_A_DEVICE else ""

    def start(self) -> None:
        """Begin to hand messages over."""
        for lane in self._lanes.values():
            lane.start()

    async def stop(self) -> None:
        """Let what is being handled finish."""
        await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))

    def accepted(self, resumed: bool) -> None:
        """What waits comes again when the broker knows the session, and is dropped. What an earlier session
        left is ours alone, and stays."""
        if not resumed:
            self._session += 1
            return
        for lane in self._lanes.values():
            lane.forget(self._session)


def _read(message: MQTTMessage) -> Message | None:
    """The message, if it is a device's."""
    try:
        owner = device_and_suffix(message.topic)
    except UnicodeDecodeError:
        owner = None
    if owner is None:
        return None
    return Message(*owner, bytes(message.payload), clock.now(), message.retain)
