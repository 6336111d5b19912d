"""Metrics of sending: what waits, what is in flight, what became of the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from api.observability.sending import SendingGauges
from domains.kernel import clock, database
from notifications.channels.port import Refused
from notifications.deliveries.claiming import claim
from notifications.deliveries.courier import Courier
from notifications.kinds import Channel
from tests.factories import sending
from tests.factories.sending import ALARM, Scripted, person, send_all, set_up, tell

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        yield


async def test_gauges_say_what_there_is() -> None:
    registry = CollectorRegistry()
    gauges = SendingGauges(registry)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    await gauges.read()
    assert (value("linli_deliveries_in_flight"), value("linli_deliveries_oldest_seconds", lane="normal")) == (
        0,
        0,
    )
    set_up(Scripted(Channel.SMS, answers=[Refused("x")]))
    for _ in range(3):
        await tell(await person(Channel.SMS))
    await send_all()
    await tell(await person(Channel.SMS))
    await claim(urgent=False, limit=1, lease_s=60)
    await tell(await person(Channel.SMS), kind=ALARM)
    await database.execute(
        "UPDATE delivery SET due_at = $1 WHERE state = 'pending'", clock.now() - timedelta(minutes=1)
    )
    await gauges.read()
    assert value("linli_deliveries", channel="sms", state="sent") == 2
    assert value("linli_deliveries", channel="sms", state="dead") == 1
    assert value("linli_delivery_attempts", channel="sms", outcome="refused") == 1
    seconds = value("linli_delivery_attempt_seconds", channel="sms", outcome="sent", quantile="0.95")
    assert seconds is not None and 0 <= seconds < 5
    assert value("linli_deliveries_in_flight") == 1
    waits = value("linli_deliveries_oldest_seconds", lane="urgent")
    assert waits is not None and 60 <= waits < 70
    await Courier(urgent=True).deliver()
    await gauges.read()
    assert value("linli_deliveries_oldest_seconds", lane="urgent") == 0
