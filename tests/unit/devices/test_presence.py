"""Whether a device is heard: written seldom, in the order of our clock, by whoever heard it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domains.devices.link import Message
from domains.devices.models import Device, DeviceRefusal
from domains.devices.service.listening import ROUTES
from domains.devices.service.presence import Sighting, seen
from domains.devices.service.refusals import refusals
from tests.factories import devices
from tests.factories.identity import Places, places

pytestmark = pytest.mark.usefixtures("instance")

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
async def at(instance: object) -> Places:
    return await places()


@pytest.fixture
async def gate(at: Places) -> UUID:
    return await devices.device(at.compound_id, "gate")


async def known(device_id: UUID) -> tuple[bool | None, datetime | None, datetime | None]:
    row = await Device.get(pk=device_id)
    return row.is_online, row.last_seen_at, row.offline_since


def heard(device_id: UUID, seconds: float) -> Sighting:
    return Sighting(device_id, NOW + seconds * SECOND)


def gone(device_id: UUID, seconds: float) -> Sighting:
    return Sighting(device_id, NOW + seconds * SECOND, False)


async def test_a_device_that_is_never_heard_is_neither_here_nor_gone(gate: UUID) -> None:
    assert await known(gate) == (None, None, None)


async def test_a_device_that_is_heard_all_the_time_is_written_twice_a_minute(gate: UUID) -> None:
    written = [await seen([heard(gate, second)]) for second in range(61)]
    assert [second for second, count in enumerate(written) if count] == [0, 30, 60]
    assert await known(gate) == (True, NOW + 60 * SECOND, None)


async def test_a_short_silence_is_written_finer(at: Places) -> None:
    gate = await devices.device(at.compound_id, "gate", silent_after_s=30)
    written = [await seen([heard(gate, second)]) for second in range(31)]
    assert [second for second, count in enumerate(written) if count] == [0, 10, 20, 30]


async def test_a_goodbye_counts_until_it_is_heard_again(gate: UUID) -> None:
    await seen([heard(gate, 0)])
    await seen([gone(gate, 5)])
    assert await known(gate) == (False, NOW, NOW + 5 * SECOND)
    await seen([gone(gate, 9)])
    assert await known(gate) == (False, NOW, NOW + 5 * SECOND)
    await seen([heard(gate, 10)])
    assert await known(gate) == (True, NOW + 10 * SECOND, None)


async def test_what_is_handled_late_changes_nothing(gate: UUID) -> None:
    await seen([heard(gate, 10)])
    await seen([gone(gate, 5)])
    assert await known(gate) == (True, NOW + 10 * SECOND, None)
    await seen([gone(gate, 20)])
    await seen([heard(gate, 15)])
    assert (await known(gate))[0] is False


async def test_the_last_of_a_batch_decides(gate: UUID) -> None:
    await seen([gone(gate, 7), heard(gate, 9), gone(gate, 8)])
    assert (await known(gate))[0] is True


async def test_who_is_no_device_or_retired_is_passed_over(at: Places) -> None:
    retired = await devices.device(at.compound_id, "gate", state="retired")
    assert await seen([heard(uuid4(), 0), heard(retired, 0)]) == 0
    assert await known(retired) == (None, None, None)
    assert await seen([]) == 0


async def test_two_processes_that_hear_the_same_never_wait_in_a_circle(at: Places) -> None:
    ids = [await devices.device(at.compound_id, "gate") for _ in range(50)]
    rounds = [[heard(id, turn * 40) for id in (ids if turn % 2 else ids[::-1])] for turn in range(8)]
    await asyncio.gather(*(seen(each) for each in rounds))
    assert {await known(id) for id in ids} == {(True, NOW + 280 * SECOND, None)}


def state(device_id: UUID, payload: bytes, *, retained: bool = False) -> Message:
    return Message(device_id, "state", payload, NOW, retained)


async def test_what_the_broker_says_of_a_device(gate: UUID) -> None:
    await ROUTES["state"]([state(gate, b'{"online": true, "position": "open"}', retained=True)])
    assert await known(gate) == (None, None, None), "what was kept says not when"
    await ROUTES["state"]([state(gate, b'{"online": true}')])
    assert await known(gate) == (True, NOW, None)
    await ROUTES["state"]([state(gate, b'{"online": false}', retained=True)])
    assert (await known(gate))[0] is False


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff\x00", b"[]", b'"online"', b"7", b"null", b"{}", b'{"online": "yes"}', b'{"online": 1}'],
)
async def test_a_state_that_cannot_be_read_is_refused(at: Places, payload: bytes) -> None:
    odd, fine = [await devices.device(at.compound_id, "gate") for _ in range(2)]
    await ROUTES["state"]([state(odd, payload), state(fine, b'{"online": true}')])
    assert ((await known(odd))[0], (await known(fine))[0]) == (None, True)
    await refusals().write()
    assert (await DeviceRefusal.get(device_id=odd)).code == "PAYLOAD_INVALID"
