"""Gauges of alarms, orders to doors, scans, and of the line to devices; their truth is in the two stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from prometheus_client import CollectorRegistry, Gauge
from redis.exceptions import RedisError

from api.devices_listening import HEARS, broker
from api.instance import cache
from domains.access.controllers.mqtt import MqttControllers
from domains.access.controllers.port import controllers
from domains.kernel import clock, database

LATELY = timedelta(minutes=10)
QUANTILES = ("0.5", "0.95", "0.99")

ALARMS = """
SELECT k.level, count(a.id) AS open FROM unnest(ARRAY['critical', 'major', 'minor']) AS k (level)
LEFT JOIN alarm a ON a.level = k.level AND a.state <> 'cleared' GROUP BY k.level
"""
# An id begins with the time at which it was made: what is new is at the end of the primary key.
ORDERS = "SELECT state, count(*) AS orders FROM door_command WHERE id >= $1 GROUP BY state"
ANSWERS = """
SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - requested_at))
FROM door_command WHERE id >= $1 AND state = 'opened'
"""
SCANS = """
SELECT CASE WHEN result = 'opened' THEN 'OK' ELSE coalesce(nullif(reason, ''), 'UNKNOWN') END AS verdict, count(*) AS scans
FROM access_record WHERE id >= $1 AND method IN ('qr', 'code') GROUP BY 1
"""


@dataclass(slots=True)
class DoorGauges:
    """What is wrong now, and what became of orders and scans in the last ten minutes."""

    registry: CollectorRegistry
    alarms: Gauge = field(init=False)
    orders: Gauge = field(init=False)
    seconds: Gauge = field(init=False)
    scans: Gauge = field(init=False)
    up: Gauge = field(init=False)
    messages: Gauge = field(init=False)
    waiting: Gauge = field(init=False)
    lag: Gauge = field(init=False)

    def __post_init__(self) -> None:
        made = self.registry
        self.alarms = Gauge("linli_alarms_open", "Alarms that are not cleared.", ("level",), registry=made)
        self.orders = Gauge(
            "linli_door_commands", "Orders to doors of the last 10 minutes.", ("state",), registry=made
        )
        self.seconds = Gauge(
            "linli_door_command_seconds", "From an order to its answer.", ("quantile",), registry=made
        )
        self.scans = Gauge("linli_scans", "Codes shown in the last 10 minutes.", ("verdict",), registry=made)
        self.up = Gauge(
            "linli_device_link_up", "Whether a line to the broker is up.", ("line",), registry=made
        )
        self.messages = Gauge(
            "linli_device_messages", "Since its start, of whoever listens.", ("outcome",), registry=made
        )
        self.waiting = Gauge("linli_device_messages_waiting", "Not handled yet.", registry=made)
        self.lag = Gauge("linli_device_messages_oldest_seconds", "How long the oldest waits.", registry=made)

    async def read(self) -> None:
        """Bring them up to date. Raises what the driver raises where the database is away."""
        since = _id_at(LATELY)
        for gauge in (self.orders, self.seconds, self.scans):
            gauge.clear()
        for row in await database.fetch(ALARMS):
            self.alarms.labels(row["level"]).set(row["open"])
        for row in await database.fetch(ORDERS, since):
            self.orders.labels(row["state"]).set(row["orders"])
        for quantile, seconds in zip(QUANTILES, await database.fetchval(ANSWERS, since) or (), strict=False):
            self.seconds.labels(quantile).set(seconds)
        for row in await database.fetch(SCANS, since):
            self.scans.labels(row["verdict"]).set(row["scans"])
        if broker() is not None:
            await self._read_lines()

    async def _read_lines(self) -> None:
        doors = controllers()
        self.up.labels("orders").set(isinstance(doors, MqttControllers) and doors.link.online.is_set())
        try:
            told = await cache().get(HEARS)
        except (RedisError, OSError):
            told = None
        said: dict[str, Any] = orjson.loads(told or b"{}")  # Any: JSON that a worker has written
        self.up.labels("listener").set(said.get("up", False))
        self.waiting.set(said.get("waiting", 0))
        self.lag.set(said.get("oldest_s", 0.0))
        self.messages.clear()
        for outcome, number in said.get("counts", {}).items():
            self.messages.labels(outcome).set(number)


def _id_at(ago: timedelta) -> UUID:
    """Smaller than every id made since then."""
    return UUID(int=int((clock.now() - ago).timestamp() * 1000) << 80)
