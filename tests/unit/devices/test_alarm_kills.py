"""A process that is killed in the middle of a batch leaves nothing of it, and nobody waiting."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from uuid import UUID

import pytest

from api.instance import Addresses
from api.settings import REPOSITORY
from api.wiring import APPS
from domains.devices.models import Alarm
from domains.devices.service.alarms import report
from domains.kernel import database
from tests.factories import devices, residents
from tests.factories.alarms import there

pytestmark = pytest.mark.usefixtures("instance")

KINDS = ("fire", "gas", "tamper")


async def test_killed_in_the_middle_of_a_batch_there_is_nothing_half(addresses: Addresses) -> None:
    scene = await residents.scene()
    made = [await devices.device(scene.compound_id, "fire_panel") for _ in range(100)]
    said = [there(device, kind) for device in made for kind in KINDS]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, addresses.app_url, *map(str, made),
        cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    assert await asyncio.wait_for(child.stdout.readline(), 30) == b"written\n"
    before = await residents.fingerprint()
    waiting = asyncio.create_task(report(said[:1]))
    await asyncio.sleep(0.2)
    assert not waiting.done(), "whoever reports of the same device waits for its turn"
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    assert await asyncio.wait_for(waiting, 10) == [None]
    assert await Alarm.filter(device_id__in=made).count() == 1
    assert await report(said) == [None] * 300
    rows = await Alarm.filter(device_id__in=made)
    assert sorted(row.reports for row in rows) == [1] * 299 + [2]
    events = "SELECT count(*) FROM outbox_message WHERE event = 'AlarmOpened'"
    assert await database.fetchval(events) == 300
    assert (await residents.fingerprint())[:5] == before[:5]


async def _report_and_hang(url: str, device_ids: list[UUID]) -> None:
    async with database.connected(url, APPS), database.transaction() as current:
        await report([there(device, kind) for device in device_ids for kind in KINDS])
        await current.write_collected()
        print("written", flush=True)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(_report_and_hang(sys.argv[1], [UUID(each) for each in sys.argv[2:]]))
