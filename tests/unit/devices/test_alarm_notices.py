"""Who is told of an alarm, by the outbox: whoever answers for it, once, and never nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from domains.devices import permissions
from domains.devices.events import DeviceRetired
from domains.devices.handlers import ALARM_CHANGED
from domains.devices.kinds import ALARM_KINDS
from domains.devices.models import Alarm, Device
from domains.devices.service.alarm_ending import RETIRED, clear_calm
from domains.devices.service.alarm_handling import acknowledge_alarm, clear_alarm
from domains.devices.service.alarms import report
from domains.identity.models import StaffMember
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.clock import FixedClock
from notifications import viewer_events
from notifications.kinds import Channel
from notifications.notifying import templates
from tests.factories import devices, identity
from tests.factories.alarms import NOON, all_of, over, raised, there
from tests.factories.identity import Places
from tests.factories.relaying import data_of, deliver, deliver_again, record, told

pytestmark = pytest.mark.usefixtures("instance")

DELIVERIES = """
SELECT channel, due_at - created_at AS wait, is_climb, is_urgent FROM delivery WHERE account_id = $1 ORDER BY due_at, channel
"""


@pytest.fixture
async def at() -> Places:
    return await identity.places()


@pytest.fixture
async def guard(at: Places) -> UUID:
    """Who answers for alarms of the compound."""
    held = [permissions.ALARMS_HANDLE, permissions.ALARMS_READ]
    return await identity.staff(at, held, scope="compound", place_id=at.compound_id)


@pytest.fixture
async def panel(at: Places) -> UUID:
    return await devices.device(at.compound_id, "fire_panel", at.building_id, place="一层大厅")


@pytest.fixture
async def time() -> AsyncIterator[FixedClock]:
    with clock.use(FixedClock(NOON)) as fixed:
        yield fixed


CONTACT = """
INSERT INTO contact (id, account_id, channel, app_id, address_sealed, updated_at)
VALUES (gen_random_uuid(), $1, 'sms', '', uuid_send($1), now())
"""
BROWSER = """
INSERT INTO push_subscription (id, account_id, session_id, endpoint_sealed, endpoint_index, keys_sealed, created_at)
VALUES (gen_random_uuid(), $1, $1, uuid_send($1), uuid_send($1), uuid_send($1), now())
"""


async def test_a_fire_is_told_at_once_and_climbs(
    guard: UUID, panel: UUID, at: Places, time: FixedClock
) -> None:
    for statement in (CONTACT, BROWSER):
        await database.execute(statement, guard)
    templates.fill({each: {"alarm.critical": "T_1"} for each in (Channel.SMS, Channel.VOICE)})
    row = await raised(panel)
    await deliver()
    assert await told(guard) == ["alarm.critical"]
    data = await data_of(guard, "alarm.critical")
    assert (data["place"], data["alarm"], data["alarm_en"]) == ("1号楼 一层大厅", "火警", "fire")
    rows = await database.fetch(DELIVERIES, guard)
    assert [(each["channel"], each["wait"], each["is_climb"], each["is_urgent"]) for each in rows] == [
        (Channel.WEB_PUSH, timedelta(0), False, True),
        (Channel.SMS, timedelta(minutes=2), True, True),
        (Channel.VOICE, timedelta(minutes=5), True, True),
    ]
    subject = await database.fetchrow(
        "SELECT subject_type, subject_id, compound_id FROM notice "
        "WHERE kind = 'alarm.critical' AND dedupe_key = $1",
        str(row.id),
    )
    assert subject is not None and tuple(subject) == ("Alarm", row.id, at.compound_id)


@pytest.mark.parametrize(("kind", "notice"), [("hydrant", "alarm.raised"), ("fault", "alarm.minor")])
async def test_what_is_less_is_told_as_such(guard: UUID, panel: UUID, kind: str, notice: str) -> None:
    await raised(panel, kind)
    await deliver()
    assert await told(guard) == [notice]


async def test_a_hundred_flaps_are_one_notice_and_again_is_once(
    guard: UUID, panel: UUID, time: FixedClock
) -> None:
    await raised(panel)
    for number in range(100):
        await report([over(panel)])
        time.advance(timedelta(seconds=2))
        await report([there(panel)])
        if number % 25 == 0:
            await deliver()
    await deliver_again()
    assert await told(guard) == ["alarm.critical"]
    assert len(await all_of(panel)) == 1


async def test_only_who_answers_for_that_building_is_told(at: Places, panel: UUID) -> None:
    held = [permissions.ALARMS_HANDLE]
    here, there_, watching, elsewhere = [
        await identity.staff(at, granted, scope=scope, place_id=place)  # type: ignore[arg-type]  # kinds of scope
        for granted, scope, place in (
            (held, "building", at.building_id), (held, "building", at.other_building_id),
            ([permissions.ALARMS_READ], "compound", at.compound_id), (held, "compound", at.other_compound_id),
        )
    ]  # fmt: skip
    await raised(panel)
    await deliver()
    assert [await told(each) for each in (here, there_, watching, elsewhere)] == [
        ["alarm.critical"], [], [], [],
    ]  # fmt: skip


async def test_a_fire_that_nobody_answers_for_is_told_to_the_operators(at: Places, panel: UUID) -> None:
    operator = await identity.staff(at, ["estate.read"])
    await StaffMember.filter(account_id=operator).update(is_operator=True)
    await raised(panel)
    await deliver()
    assert await told(operator) == ["alarm.critical"]
    holder = await identity.staff(at, [permissions.ALARMS_HANDLE])
    await raised(panel, "gas")
    await deliver()
    assert (await told(operator), await told(holder)) == (["alarm.critical"], ["alarm.critical"])


async def test_those_who_were_told_learn_that_it_is_over(
    guard: UUID, panel: UUID, at: Places, time: FixedClock
) -> None:
    await raised(panel)
    await deliver()
    late = await identity.staff(at, [permissions.ALARMS_HANDLE])
    await report([over(panel)])
    time.advance(ALARM_KINDS["fire"].off_delay)
    await clear_calm()
    await deliver()
    assert await told(guard) == ["alarm.critical", "alarm.over"]
    assert (await data_of(guard, "alarm.over"))["how"] == "自动恢复"
    assert await told(late) == []


async def test_the_end_of_what_was_not_critical_is_told_to_nobody(guard: UUID, panel: UUID) -> None:
    row = await raised(panel, "hydrant")
    await deliver()
    await clear_alarm(await identity.actor(guard), alarm_id=row.id, note="已修", is_false=False)
    await deliver()
    assert await told(guard) == ["alarm.raised"]


async def test_a_false_alarm_says_so(guard: UUID, panel: UUID) -> None:
    row = await raised(panel)
    await deliver()
    await clear_alarm(await identity.actor(guard), alarm_id=row.id, note="施工", is_false=True)
    await deliver()
    data = await data_of(guard, "alarm.over")
    assert (data["how"], data["how_en"]) == ("确认为误报", "a false alarm")


async def test_what_somebody_has_dealt_with_is_no_news_and_what_ended_by_itself_is(
    guard: UUID, panel: UUID, time: FixedClock
) -> None:
    row = await raised(panel)
    await clear_alarm(await identity.actor(guard), alarm_id=row.id, note="已处理", is_false=False)
    await deliver()
    assert await told(guard) == []
    await report([over(panel), there(panel, "gas"), over(panel, "gas")])
    time.advance(timedelta(minutes=5))
    await clear_calm()
    await deliver()
    assert await told(guard) == ["alarm.critical", "alarm.over"]


async def test_who_takes_it_on_has_read_it_so_that_nobody_is_called(guard: UUID, panel: UUID) -> None:
    row = await raised(panel)
    await deliver()
    unread = "SELECT count(*) FROM notification WHERE account_id = $1 AND read_at IS NULL"
    assert await database.fetchval(unread, guard) == 1
    await acknowledge_alarm(await identity.actor(guard), alarm_id=row.id)
    assert await database.fetchval(unread, guard) == 0


async def test_every_screen_of_those_who_may_see_it_follows(guard: UUID, at: Places, panel: UUID) -> None:
    reader = await identity.staff(at, [permissions.ALARMS_READ], scope="building", place_id=at.building_id)
    other = await identity.staff(
        at, [permissions.ALARMS_READ], scope="building", place_id=at.other_building_id
    )
    place = await viewer_events.here()
    row = await raised(panel)
    await deliver()
    actor: Actor = await identity.actor(guard)
    await acknowledge_alarm(actor, alarm_id=row.id)
    await deliver()
    await clear_alarm(actor, alarm_id=row.id, note="已处理", is_false=False)
    await deliver()
    for account_id, expected in ((guard, 3), (reader, 3), (other, 0)):
        seen, _ = await viewer_events.since(account_id, place)
        changes = [each for each in seen if each.name == ALARM_CHANGED]
        assert [(each.subject_type, each.subject_id) for each in changes] == [("Alarm", row.id)] * expected


async def test_what_a_retired_device_raised_ends_with_it(panel: UUID, at: Places) -> None:
    await report([there(panel), there(panel, "fault")])
    await Device.filter(pk=panel).update(state="retired")
    await record(DeviceRetired(panel, at.compound_id))
    await deliver()
    rows = await Alarm.filter(device_id=panel)
    assert {(row.state, row.note, row.cleared_by) for row in rows} == {("cleared", RETIRED, None)}
    await deliver_again()
    assert await Alarm.filter(device_id=panel).count() == 2
