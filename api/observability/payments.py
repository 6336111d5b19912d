"""Gauges of payments (支付): what waits for a person; its truth is in the database."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge

from domains.kernel import clock, database
from payments.exception_rules import EXCEPTIONS

OPEN = """
SELECT kind, count(*)::int AS number, extract(epoch FROM $1::timestamptz - min(opened_at))::float8 AS age_s
FROM payment_exception WHERE closed_at IS NULL GROUP BY kind
"""


@dataclass(slots=True)
class PaymentGauges:
    """Payments that went wrong and that nobody has seen to, by kind."""

    registry: CollectorRegistry
    open: Gauge = field(init=False)
    oldest: Gauge = field(init=False)

    def __post_init__(self) -> None:
        made = self.registry
        self.open = Gauge(
            "linli_payment_exceptions_open", "Payment exceptions that are open.", ("kind",), registry=made
        )
        self.oldest = Gauge(
            "linli_payment_exceptions_oldest_seconds", "How long the oldest is open.", registry=made
        )

    async def read(self) -> None:
        """Bring them up to date. Raises what the driver raises where the database is away."""
        rows = {row["kind"]: row for row in await database.fetch(OPEN, clock.now())}
        for kind in EXCEPTIONS:
            self.open.labels(kind).set(rows[kind]["number"] if kind in rows else 0)
        self.oldest.set(max((row["age_s"] for row in rows.values()), default=0))
