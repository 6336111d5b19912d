"""Counters of this process in the format of Prometheus (监控指标), in a registry of their own.

Labels come from closed lists, so that no caller can make the number of series grow.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from schema import catalogue

# A second series per counter that nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own lack

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STATEMENTS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)
OTHER = "other"


class Metrics:
    """What one process counts; `operations` are the names that may become labels."""

    def __init__(self, operations: Iterable[str] = ()) -> None:
        self.registry = made = CollectorRegistry()
        self._operations = frozenset(operations)
        self._codes = frozenset(catalogue.texts())
        self._requests = Counter(
            "linli_http_requests", "HTTP requests.", ("method", "route", "status"), registry=made
        )
        self._seconds = Histogram(
            "linli_http_request_duration_seconds",
            "Time to answer an HTTP request.",
            ("route",),
            buckets=SECONDS,
            registry=made,
        )
        self._answered = Counter(
            "linli_graphql_operations",
            "GraphQL operations by name and outcome.",
            ("operation", "outcome"),
            registry=made,
        )
        self._errors = Counter("linli_errors", "Errors told to callers, by code.", ("code",), registry=made)
        self._statements = Histogram(
            "linli_graphql_operation_statements",
            "Database statements of a GraphQL operation.",
            buckets=STATEMENTS,
            registry=made,
        )
        self.sockets = Gauge("linli_sockets_open", "WebSockets and event streams.", registry=made)
        self._notified = Counter(
            "linli_payment_notifications",
            "Notifications of payment channels, by what became of them.",
            ("channel", "verdict"),
            registry=made,
        )
        ProcessCollector(registry=made)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """An HTTP request was answered."""
        known = method if method in _METHODS else OTHER
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def operation(self, name: str | None, outcome: str, statements: int | None = None) -> None:
        """A GraphQL operation was answered: `ok`, `error`, `refused` or `fault`."""
        self._answered.labels(name if name in self._operations else OTHER, outcome).inc()
        if statements is not None:
            self._statements.observe(statements)

    def notified(self, channel: str, verdict: str) -> None:
        """A channel told of a payment or refund: taken, again, held, noted, reused_number, unknown_party or
        refused."""
        self._notified.labels(channel, verdict).inc()

    def error(self, code: object) -> None:
        """An error was told to a caller."""
        self._errors.labels(str(code) if code in self._codes else OTHER).inc()


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
