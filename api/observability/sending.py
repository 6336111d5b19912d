"""Gauges of the messages that go out by the platforms (消息投递); their truth is in the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from prometheus_client import CollectorRegistry, Gauge

from domains.kernel import clock
from notifications.deliveries import traffic

LATELY = timedelta(minutes=10)


@dataclass(slots=True)
class SendingGauges:
    """What is on its way, and what became of it in the last ten minutes."""

    registry: CollectorRegistry
    in_flight: Gauge = field(init=False)
    oldest: Gauge = field(init=False)
    settled: Gauge = field(init=False)
    attempts: Gauge = field(init=False)
    seconds: Gauge = field(init=False)

    def __post_init__(self) -> None:
        made = self.registry
        self.in_flight = Gauge("linli_deliveries_in_flight", "Messages being sent.", registry=made)
        self.oldest = Gauge(
            "linli_deliveries_oldest_seconds", "How long the oldest due one waits.", ("lane",), registry=made
        )
        self.settled = Gauge(
            "linli_deliveries",
            "Messages settled in the last 10 minutes.",
            ("channel", "state"),
            registry=made,
        )
        self.attempts = Gauge(
            "linli_delivery_attempts",
            "Attempts of the last 10 minutes.",
            ("channel", "outcome"),
            registry=made,
        )
        self.seconds = Gauge(
            "linli_delivery_attempt_seconds",
            "How long attempts of the last 10 minutes took.",
            ("channel", "outcome", "quantile"),
            registry=made,
        )

    async def read(self) -> None:
        """Bring them up to date. Raises what the driver raises where the database is away."""
        now = clock.now()
        backlog = await traffic.backlog(now)
        self.in_flight.set(backlog.in_flight)
        self.oldest.labels("urgent").set(backlog.oldest_urgent_s)
        self.oldest.labels("normal").set(backlog.oldest_s)
        for gauge in (self.settled, self.attempts, self.seconds):
            gauge.clear()
        for settled in await traffic.settled_since(now - LATELY):
            self.settled.labels(settled.channel, settled.state).set(settled.number)
        for tried in await traffic.tried_since(now - LATELY):
            self.attempts.labels(tried.channel, tried.outcome).set(tried.number)
            self.seconds.labels(tried.channel, tried.outcome, "0.5").set(tried.median_s)
            self.seconds.labels(tried.channel, tried.outcome, "0.95").set(tried.slow_s)
