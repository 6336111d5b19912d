"""What could not be heard because nobody listened is no silence of a device."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domains.devices.models import Device
from domains.devices.service.presence import Sighting, seen
from domains.devices.service.silence import watch_silence
from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from tests.factories import devices, identity
from tests.factories.alarms import NOON, current

pytestmark = pytest.mark.usefixtures("instance")

MINUTE = timedelta(minutes=1)
RUN = """
INSERT INTO job_run (id, job, due_at, state, attempts, started_at, lease_until, is_requested)
VALUES (gen_random_uuid(), 'devices.watch_offline', $1, 'running', 1, $1, $1, false)
"""


async def run(*times: datetime) -> None:
    for at in times:
        await database.execute(RUN, at)


async def test_after_an_outage_of_ours_a_device_has_its_whole_time_anew() -> None:
    at = await identity.places()
    lost, gone, dark = [
        await devices.device(at.compound_id, is_online=True, last_seen_at=NOON, silent_after_s=300)
        for _ in range(3)
    ]
    with clock.use(FixedClock(NOON)) as time:
        await run(NOON - 8 * MINUTE, NOON - 7 * MINUTE)
        await Device.filter(pk=dark).update(last_seen_at=NOON - 20 * MINUTE)
        assert await watch_silence() == (1, 0)
        time.advance(20 * MINUTE)
        await run(clock.now())
        assert await watch_silence() == (0, 0), "nobody listened for twenty minutes"
        assert (await current(dark, "offline")).calm_since is None, "and it was not heard again by that"
        await seen([Sighting(gone, clock.now(), is_online=False)])
        time.advance(5 * MINUTE)
        await run(*(clock.now() - n * MINUTE for n in range(5)))
        assert await watch_silence() == (1, 0), "a goodbye is no silence"
        time.advance(timedelta(seconds=1))
        assert await watch_silence() == (1, 0)
        assert (await current(lost, "offline")).opened_at == clock.now()
