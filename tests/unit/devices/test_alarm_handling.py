"""Seeing to alarms: one of two takes it on, what is cleared stays cleared, and who may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from domains.devices import permissions
from domains.devices.models import Alarm
from domains.devices.queries import alarms as queries
from domains.devices.queries.alarms import AlarmFilter
from domains.devices.service.alarm_handling import acknowledge_alarm, clear_alarm
from domains.devices.service.alarms import report
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Forbidden, NotFound, Unauthenticated
from domains.kernel.ids import uuid7
from tests.factories import devices, identity, residents
from tests.factories.alarms import all_of, over, raised, recorded
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def panel(scene: Scene) -> UUID:
    return await devices.device(scene.compound_id, "fire_panel", scene.building_id)


async def colleague(scene: Scene) -> Actor:
    """Staff with an account, who may handle alarms."""
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    return await identity.actor(await identity.staff(company, [permissions.ALARMS_HANDLE]))


async def test_somebody_sees_to_it_and_says_what_was_found(scene: Scene, panel: UUID) -> None:
    row, staff = await raised(panel), scene.staff(permissions.ALARMS_HANDLE)
    await acknowledge_alarm(staff, alarm_id=row.id)
    await row.refresh_from_db()
    assert (row.state, row.acknowledged_by, row.acknowledged_at is not None) == (
        "acknowledged", staff.id, True,
    )  # fmt: skip
    await clear_alarm(staff, alarm_id=row.id, note="  油烟,已开窗  ", is_false=True)
    await row.refresh_from_db()
    assert (row.state, row.cleared_by, row.note, row.is_false) == ("cleared", staff.id, "油烟,已开窗", True)
    for event in ("AlarmAcknowledged", "AlarmCleared"):
        assert len(await recorded(event, row.id)) == 1
    done = await residents.audited("alarm.clear", scene.compound_id)
    assert [(each["outcome"], each["subject_id"]) for each in done] == [("done", row.id)]


async def test_of_two_at_once_one_takes_it_on_and_the_other_learns_who(scene: Scene, panel: UUID) -> None:
    row = await raised(panel)
    both = [await colleague(scene) for _ in range(2)]
    answers = await asyncio.gather(
        *(acknowledge_alarm(each, alarm_id=row.id) for each in both), return_exceptions=True
    )
    [refused] = [each for each in answers if isinstance(each, Conflict)]
    assert refused.code == "ALARM_ACKNOWLEDGED" and "王师傅" in refused.message
    assert len(await recorded("AlarmAcknowledged", row.id)) == 1
    await row.refresh_from_db()
    assert row.acknowledged_by == both[answers.index(row.id)].id


async def test_acknowledging_and_clearing_at_once_ends_cleared_in_any_order(
    scene: Scene, panel: UUID
) -> None:
    staff = scene.staff(permissions.ALARMS_HANDLE)
    for _ in range(8):
        row = await raised(panel)
        taken, cleared = await asyncio.gather(
            acknowledge_alarm(staff, alarm_id=row.id),
            clear_alarm(staff, alarm_id=row.id, note="没有火情", is_false=True),
            return_exceptions=True,
        )
        assert cleared == row.id
        assert taken == row.id or (isinstance(taken, Conflict) and taken.code == "ALARM_CLEARED")
        await row.refresh_from_db()
        assert (row.state, row.acknowledged_at is not None) == ("cleared", taken == row.id)
        assert len(await recorded("AlarmCleared", row.id)) == 1
        await report([over(panel)])


async def test_what_is_cleared_is_not_handled_again(scene: Scene, panel: UUID) -> None:
    row, staff = await raised(panel), scene.staff(permissions.ALARMS_HANDLE)
    await clear_alarm(staff, alarm_id=row.id, note="第一次", is_false=False)
    before = await residents.fingerprint()
    for act in (
        acknowledge_alarm(staff, alarm_id=row.id),
        clear_alarm(staff, alarm_id=row.id, note="第二次", is_false=True),
    ):
        with pytest.raises(Conflict) as refused:
            await act
        assert refused.value.code == "ALARM_CLEARED"
    assert await residents.fingerprint() == before
    await row.refresh_from_db()
    assert (row.note, row.is_false) == ("第一次", False)


@pytest.mark.parametrize(
    ("note", "code"), [("", "TEXT_EMPTY"), ("  ", "TEXT_EMPTY"), ("长" * 201, "TEXT_TOO_LONG")]
)
async def test_a_note_is_needed_and_has_its_length(scene: Scene, panel: UUID, note: str, code: str) -> None:
    row = await raised(panel)
    before = await residents.fingerprint()
    with pytest.raises(DomainError) as refused:
        await clear_alarm(scene.staff(permissions.ALARMS_HANDLE), alarm_id=row.id, note=note, is_false=True)
    assert (refused.value.code, refused.value.field) == (code, "note")
    assert await residents.fingerprint() == before
    await row.refresh_from_db()
    assert row.state == "open"


async def test_an_unknown_alarm_is_not_found(scene: Scene) -> None:
    staff = scene.staff(permissions.ALARMS_HANDLE)
    for act in (
        acknowledge_alarm(staff, alarm_id=uuid7()),
        clear_alarm(staff, alarm_id=uuid7(), note="无", is_false=False),
    ):
        with pytest.raises(NotFound) as refused:
            await act
        assert refused.value.code == "ALARM_NOT_FOUND"


Act = Callable[[Actor, Scene, UUID], Awaitable[object]]
OPERATIONS: dict[str, tuple[str, Act]] = {
    "acknowledge": (
        permissions.ALARMS_HANDLE, lambda actor, _, id: acknowledge_alarm(actor, alarm_id=id),
    ),
    "clear": (
        permissions.ALARMS_HANDLE,
        lambda actor, _, id: clear_alarm(actor, alarm_id=id, note="看过了", is_false=False),
    ),
    "list": (
        permissions.ALARMS_READ,
        lambda actor, scene, _: queries.alarms(actor, scene.compound_id, AlarmFilter(), after=None, limit=9),
    ),
    "count": (
        permissions.ALARMS_READ, lambda actor, scene, _: queries.count_alarms(actor, scene.compound_id, AlarmFilter()),
    ),
    "statistics": (
        permissions.ALARMS_READ,
        lambda actor, scene, _: queries.alarm_statistics(
            actor, scene.compound_id, building_id=None, since=None, until=None
        ),
    ),
}  # fmt: skip


async def caller(scene: Scene, kind: str, permission: str) -> Actor:
    """One of CALLERS; those of elsewhere hold what is asked for, there."""
    elsewhere = {
        "staff elsewhere": (scene.other_compound_id, None),
        "staff of another building": (scene.compound_id, scene.other_building_id),
    }
    if kind in elsewhere:
        compound_id, building_id = elsewhere[kind]
        return residents.staff(permission, compound_id=compound_id, building_id=building_id)
    return await residents.caller(scene, kind, permission)


@pytest.mark.parametrize("kind", CALLERS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_who_may(scene: Scene, panel: UUID, operation: str, kind: str) -> None:
    permission, act = OPERATIONS[operation]
    id = (await raised(panel)).id
    actor = await caller(scene, kind, permission)
    before = await residents.fingerprint()
    if kind == "staff":
        assert await act(actor, scene, id)
        return
    if kind == "staff of another building" and permission == permissions.ALARMS_READ:
        found = await act(actor, scene, id)
        assert found in ([], 0) or (isinstance(found, queries.AlarmStatistics) and not found.total.alarms)
        return
    with pytest.raises((Forbidden, Unauthenticated, NotFound)):
        await act(actor, scene, id)
    assert await residents.fingerprint() == before
    assert [each.state for each in await all_of(panel)] == ["open"]


@pytest.mark.parametrize("kind", CALLERS)
async def test_who_sees_one_by_id(scene: Scene, panel: UUID, kind: str) -> None:
    id = (await raised(panel)).id
    for permission in (permissions.ALARMS_READ, permissions.ALARMS_HANDLE):
        actor = await caller(scene, kind, permission)
        seen = kind == "staff"
        assert list(await queries.by_id(actor, [id])) == ([id] if seen else [])
        assert list(await queries.open_of_devices(actor, [panel])) == ([panel] if seen else [])


async def test_what_belongs_to_no_building_is_everybodys_who_has_a_building_there(scene: Scene) -> None:
    fence = await devices.device(scene.compound_id, "perimeter")
    row = await raised(fence, "perimeter")
    both = (permissions.ALARMS_READ, permissions.ALARMS_HANDLE)
    actor = residents.staff(*both, compound_id=scene.compound_id, building_id=scene.other_building_id)
    assert list(await queries.by_id(actor, [row.id])) == [row.id]
    listed = await queries.alarms(actor, scene.compound_id, AlarmFilter(), after=None, limit=9)
    assert [each.id for each in listed] == [row.id]
    await acknowledge_alarm(actor, alarm_id=row.id)
    assert (await Alarm.get(pk=row.id)).state == "acknowledged"
