"""What the metrics say of payments that went wrong: how many wait, by kind, and for how long."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from api.observability.payments import PaymentGauges
from api.settings import REPOSITORY
from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from payments.exception_rules import EXCEPTIONS
from payments.service import exceptions
from payments.service.exceptions import Decision

pytestmark = pytest.mark.usefixtures("instance")

NUMBER, OLDEST = "linli_payment_exceptions_open", "linli_payment_exceptions_oldest_seconds"


async def values() -> dict[str, float]:
    """All of them as they are now, without those that are zero."""
    registry = CollectorRegistry()
    await PaymentGauges(registry).read()
    return {
        sample.labels.get("kind", sample.name): sample.value
        for metric in registry.collect() for sample in metric.samples if sample.value
    }  # fmt: skip


async def test_they_follow_what_opens_and_closes() -> None:
    assert await values() == {}
    with clock.use(FixedClock(clock.now())) as time:
        for kind in ("underpaid", "refused", "refused"):
            async with database.transaction():
                await exceptions.open_exception(kind, uuid4(), amount_fen=100)
        time.advance(timedelta(minutes=5))
        assert await values() == {"underpaid": 1, "refused": 2, OLDEST: 300}
        for row in await database.fetch("SELECT id FROM payment_exception WHERE kind = 'refused'"):
            await exceptions.close(row["id"], Decision(uuid4(), "note"))
        assert await values() == {"underpaid": 1, OLDEST: 300}


def test_every_kind_is_there_from_the_start_and_in_the_guide() -> None:
    guide = (REPOSITORY / "docs" / "operators.md").read_text(encoding="utf-8")
    assert NUMBER in guide and OLDEST in guide
    assert all(kind.isidentifier() for kind in EXCEPTIONS)
