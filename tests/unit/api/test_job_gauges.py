"""What the metrics say of scheduled work: runs by result, seconds since the last success, late, paused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from api.observability.backlog import Gauges
from domains.kernel import clock, jobs
from tests.factories.jobs import NAME, Work, forget, operator

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(autouse=True)
async def no_runs(instance: object) -> AsyncIterator[None]:
    yield
    await forget()


async def test_runs_are_counted_and_silence_is_seen() -> None:
    good, bad = Work().job(), Work(failures=9).job(name="test.bad")
    jobs.catalogue.fill((good, bad))
    for day in (5, 4, 3):
        await jobs.run_due(good, clock.now() - timedelta(days=day))
    await jobs.run_due(bad, clock.now() - timedelta(hours=1))
    await jobs.pause_job(operator(), job="test.bad", reason="维修")
    registry = CollectorRegistry()
    gauges = Gauges(registry)
    await gauges.read()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"linli_job_{name}", labels)

    assert value("runs", job=NAME, outcome="succeeded") == 3
    assert value("runs", job="test.bad", outcome="failed") == 1
    assert 0 <= (value("since_success_seconds", job=NAME) or 0) < 30
    assert value("since_success_seconds", job="test.bad") is None
    assert [value("late", job=name) for name in (NAME, "test.bad")] == [1, 0]
    assert [value("paused", job=name) for name in (NAME, "test.bad")] == [0, 1]
