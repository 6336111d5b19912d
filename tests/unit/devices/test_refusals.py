"""What is refused is counted: a flood is a statement a second, one row a day, and nothing of it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from domains.devices.models import DeviceRefusal
from domains.devices.service import refusals as module
from domains.devices.service.refusals import Key, Refusals, refuse
from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from tests.factories import devices
from tests.factories.identity import Places, places

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(scope="module")
async def at(instance: object) -> Places:
    return await places()


@pytest.fixture
async def gate(at: Places) -> UUID:
    return await devices.device(at.compound_id, "gate")


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusals]:
    """Counts of this test's own, written when it says so."""
    mine = Refusals()
    monkeypatch.setattr(module, "refusals", lambda: mine)
    yield mine


def _key(device_id: UUID) -> Key:
    return device_id, clock.today(), "http", "X"


async def rows(device_id: UUID) -> list[tuple[str, str, int]]:
    found = await DeviceRefusal.filter(device_id=device_id).order_by("on_day", "way", "code")
    return [(row.way, row.code, row.count) for row in found]


async def test_a_flood_is_one_statement_and_one_row(own: Refusals, gate: UUID) -> None:
    for _ in range(10_000):
        refuse(gate, "mqtt", "PAYLOAD_INVALID")
    refuse(gate, "http", "NONCE_USED", 3)
    async with database.counted() as statements:
        await own.write()
    assert statements.count == 1
    assert await rows(gate) == [("http", "NONCE_USED", 3), ("mqtt", "PAYLOAD_INVALID", 10_000)]


async def test_counts_add_up_by_the_day_in_shanghai(own: Refusals, gate: UUID) -> None:
    for hour in (14, 15, 16, 17):  # midnight there is 16:00 UTC
        with clock.use(FixedClock(datetime(2026, 3, 1, hour, tzinfo=UTC))):
            refuse(gate, "mqtt", "FLOOD")
            await own.write()
    assert await rows(gate) == [("mqtt", "FLOOD", 2), ("mqtt", "FLOOD", 2)]
    last = (await DeviceRefusal.filter(device_id=gate).order_by("-on_day").first()).last_at  # type: ignore[union-attr]  # there are two
    assert last == datetime(2026, 3, 1, 17, tzinfo=UTC)


async def test_who_is_no_device_leaves_no_row(own: Refusals, gate: UUID) -> None:
    stranger = uuid4()
    refuse(stranger, "mqtt", "X")
    refuse(gate, "mqtt", "X")
    await own.write()
    assert (await rows(stranger), await rows(gate)) == ([], [("mqtt", "X", 1)])


async def test_processes_that_write_at_once_lose_nothing(gate: UUID, at: Places) -> None:
    ids, now = [gate, *[await devices.device(at.compound_id) for _ in range(20)]], clock.now()
    several = [Refusals() for _ in range(6)]
    for number, each in enumerate(several):
        for id in ids if number % 2 else reversed(ids):
            each.note(_key(id), 5, now)
    await asyncio.gather(*(each.write() for each in several))
    assert {(await rows(id))[0] for id in ids} == {("http", "X", 30)}


async def test_what_cannot_be_written_waits_for_the_database(
    own: Refusals, gate: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(gate, "mqtt", "X", 2)
    with monkeypatch.context() as broken:
        broken.setattr(module, "WRITE", "SELECT 1 / 0")
        await own.write()
    refuse(gate, "mqtt", "X")
    await own.write()
    assert await rows(gate) == [("mqtt", "X", 3)]


async def test_memory_is_bounded_while_the_database_is_away(
    own: Refusals, gate: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    refuse(gate, "mqtt", "X")
    for _ in range(100):
        refuse(uuid4(), "mqtt", "X")
    refuse(gate, "mqtt", "X")
    await own.write()
    assert await rows(gate) == [("mqtt", "X", 2)]


async def test_a_second_later_it_is_written_and_the_rest_at_the_end(
    gate: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_EVERY_S", 0.01)
    key = _key(gate)
    async with Refusals() as mine:
        mine.note(key, 1, clock.now())
        async with asyncio.timeout(5):
            while not await rows(gate):
                await asyncio.sleep(0.01)
        mine.note(key, 4, clock.now())
    assert await rows(gate) == [("http", "X", 5)]


async def test_refusing_inside_of_a_transaction_outlives_its_rollback(own: Refusals, gate: UUID) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            refuse(gate, "http", "X")
            raise ZeroDivisionError
    await own.write()
    assert await rows(gate) == [("http", "X", 1)]
