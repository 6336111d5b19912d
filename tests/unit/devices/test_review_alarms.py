"""What must not be believed, lost or kept quiet: whose word counts for a fire, and that somebody hears of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from api.wiring import EVENTS, HANDLERS
from domains.access.service import hearing, statements
from domains.devices import permissions
from domains.devices.kinds import ALARM_KINDS, DEVICE_KINDS, may_raise
from domains.devices.link import Handler, Message
from domains.devices.models import Device, DeviceRefusal
from domains.devices.queries.alarms import alarm_statistics
from domains.devices.service.alarm_reports import NOTICED_HERE, Said, take
from domains.devices.service.alarms import report
from domains.devices.service.refusals import refusals
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Invalid
from domains.kernel.outbox import Relay
from tests.factories import devices, identity
from tests.factories.alarms import NOON, all_of, current, over, raised, there
from tests.factories.identity import Places
from tests.factories.relaying import deliver, told

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def at() -> Places:
    return await identity.places()


@pytest.fixture
async def time() -> AsyncIterator[FixedClock]:
    with clock.use(FixedClock(NOON)) as fixed:
        yield fixed


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def event(device_id: UUID, *, retained: bool = False, **item: object) -> Message:
    return Message(device_id, "evt", orjson.dumps(item), clock.now(), retained)


async def refused(device_id: UUID) -> dict[str, int]:
    await refusals().write()
    return {row.code: row.count for row in await DeviceRefusal.filter(device_id=device_id)}


@pytest.mark.parametrize("kind", sorted(set(DEVICE_KINDS) - {"fire_panel", "smoke_detector"}))
async def test_only_what_can_see_a_fire_reports_one(at: Places, kind: str) -> None:
    device = await devices.device(at.compound_id, kind, at.building_id)
    item = {"kind": "fire", "active": True}
    said = [Said(device, {**item, "kind": each}, clock.now(), "http") for each in ("fire", "tamper")]
    assert await take(said) == ["ALARM_NOT_OF_DEVICE", None]
    assert [row.kind for row in await all_of(device)] == ["tamper"]
    assert await refused(device) == {"ALARM_NOT_OF_DEVICE": 1}


@pytest.mark.parametrize("kind", sorted(set(ALARM_KINDS) - NOTICED_HERE))
async def test_every_condition_has_a_device_that_tells_of_it(at: Places, kind: str) -> None:
    able = [each for each in DEVICE_KINDS if may_raise(each, kind)]
    assert able
    assert (await raised(await devices.device(at.compound_id, able[0]), kind)).kind == kind


async def test_what_a_device_raised_before_its_kind_was_put_right_it_can_end(
    at: Places, time: FixedClock
) -> None:
    device = await devices.device(at.compound_id, "smoke_detector")
    await raised(device)
    await Device.filter(pk=device).update(kind="gas_detector")
    assert await report([over(device), there(device)]) == [None, "ALARM_NOT_OF_DEVICE"]
    assert (await current(device)).calm_since == NOON


async def test_what_a_door_says_of_itself_is_refused_on_record_like_everything(
    at: Places, time: FixedClock
) -> None:
    sensor, retired = [
        await devices.device(at.compound_id, kind, state=state)
        for kind, state in (("lift", "in_service"), ("door", "retired"))
    ]
    await hearing.hear_events([event(each, kind="door_forced", at=ms(NOON)) for each in (sensor, retired)])
    assert (await refused(sensor), await refused(retired)) == (
        {"ALARM_NOT_OF_DEVICE": 1}, {"DEVICE_RETIRED": 1},
    )  # fmt: skip
    assert await all_of(sensor) == await all_of(retired) == []


async def test_what_the_broker_kept_of_a_door_is_no_news_and_its_clock_is_judged(
    at: Places, time: FixedClock
) -> None:
    door = await devices.device(at.compound_id)
    await hearing.hear_events([event(door, kind="door_forced", retained=True)])
    assert await all_of(door) == []
    await hearing.hear_events([event(door, kind="door_forced", at=ms(NOON + timedelta(days=300)))])
    assert {row.kind: row.said_at for row in await all_of(door)} == {"clock": None, "door_forced": None}
    heard = await Device.get(pk=door)
    assert (heard.is_online, heard.last_seen_at) == (True, NOON)


@pytest.mark.parametrize("hear", [hearing.hear_events, hearing.hear_acks, hearing.hear_positions])
async def test_values_of_a_strange_type_spoil_no_neighbour(at: Places, hear: Handler) -> None:
    door, other = await devices.device(at.compound_id), await devices.device(at.compound_id)
    strange = event(door, kind=[1], id=str(door), result={}, online=True, position=[2])
    await hear([strange, event(other, kind="tamper", online=True)])
    if hear is hearing.hear_events:
        assert [row.kind for row in await all_of(other)] == ["tamper"]
    if hear is not hearing.hear_positions:
        assert await refused(door) == {"PAYLOAD_INVALID": 1}


async def test_doors_that_cannot_be_opened_keep_no_fire_from_being_told(
    at: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = await identity.staff(at, [permissions.ALARMS_HANDLE])
    panel = await devices.device(at.compound_id, "fire_panel", at.building_id)
    await deliver()
    row = await raised(panel)
    with monkeypatch.context() as broken:
        broken.setattr(statements, "FIRE_TURN", "SELECT 1 / 0 WHERE $1::uuid IS NOT NULL")
        assert await Relay(EVENTS, HANDLERS, urgent=True).deliver() == 1
    assert await told(guard) == ["alarm.critical"]
    state = "SELECT state FROM outbox_message WHERE subject = $1"
    assert await database.fetchval(state, f"alarm_id:{row.id}") == "pending", "the doors are tried again"
    await database.execute("UPDATE outbox_message SET available_at = now()")
    await deliver()
    assert await told(guard) == ["alarm.critical"]


async def test_what_was_signed_and_comes_late_says_nothing_against_the_clock(
    at: Places, time: FixedClock
) -> None:
    panel = await devices.device(at.compound_id, "fire_panel")
    for way, off, clocks in (
        ("http", -timedelta(days=2), 0), ("mqtt", -timedelta(days=2), 1), ("http", timedelta(minutes=6), 1),
    ):  # fmt: skip
        item = {"kind": "tamper", "active": True, "at": ms(NOON + off)}
        device = panel if way == "http" and clocks == 0 else await devices.device(at.compound_id)
        assert await take([Said(device, item, NOON, way)]) == [None]  # type: ignore[arg-type]  # a way
        assert [row.kind for row in await all_of(device)].count("clock") == clocks


async def test_a_period_before_the_calendar_is_refused_and_no_fault(at: Places) -> None:
    first = datetime(1, 1, 1, tzinfo=UTC)
    with pytest.raises(Invalid) as refusal:
        await alarm_statistics(SYSTEM, at.compound_id, building_id=None, since=None, until=first)
    assert refusal.value.code == "PERIOD_REVERSED"
