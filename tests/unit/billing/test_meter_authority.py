"""Who may see and do what with meters and readings: every operation as every kind of caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from domains.billing.queries import consumption
from domains.billing.queries import meters as meter_queries
from domains.billing.queries import readings as reading_queries
from domains.billing.queries.meters import MeterFilter
from domains.billing.service import meter_imports, readings
from domains.billing.service import meters as service
from domains.billing.service.meters import NewMeter
from domains.billing.service.reading_reviews import review_reading
from domains.billing.service.readings import Brought
from domains.identity import permissions as identity_permissions
from domains.kernel import clock, database
from domains.kernel.actor import Actor, Grant
from domains.kernel.errors import Forbidden, NotFound, Unauthenticated
from tests.factories import meters, residents
from tests.factories.meters import days
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")


@dataclass(frozen=True, slots=True)
class Subject:
    """A scene whose house has a meter with a reading that waits."""

    scene: Scene
    meter: UUID
    waiting: UUID


Act = Callable[[Actor, Subject], Awaitable[object]]
STAFF, HOUSE = {"staff"}, {"owner", "family", "tenant"}
ANY_BUILDING = {"staff", "staff of another building"}
READ, WRITE = "meters.read", "meters.write"


def new(subject: Subject) -> NewMeter:
    return NewMeter("water", uuid4().hex[:10], 5, clock.today(), house_id=subject.scene.house_id)


async def record(actor: Actor, subject: Subject) -> None:
    [answer] = await readings.record_readings(
        actor, compound_id=subject.scene.compound_id, readings=[Brought(subject.meter, Decimal(120))],
        idempotency_key=uuid4(),
    )  # fmt: skip
    if answer.code == "METER_NOT_FOUND":
        raise NotFound(answer.code, answer.message)


async def list_readings(actor: Actor, subject: Subject) -> None:
    _found(await reading_queries.of_meter(actor, subject.meter, after=None, limit=5))


async def see_meter(actor: Actor, subject: Subject) -> None:
    _found(await meter_queries.by_id(actor, [subject.meter]))


async def see_reading(actor: Actor, subject: Subject) -> None:
    _found(await reading_queries.by_id(actor, [subject.waiting]))


async def see_use(actor: Actor, subject: Subject) -> None:
    _found(await consumption.of_meters(actor, [subject.meter], 13))


async def list_own(actor: Actor, subject: Subject) -> None:
    _found(await meter_queries.of_own_houses(actor, subject.scene.house_id))


def _found(rows: object) -> None:
    if not rows:
        raise NotFound("NOT_FOUND", "")


OPERATIONS: dict[str, tuple[str, Act, set[str]]] = {
    "register": (
        WRITE,
        lambda actor, at: service.register_meter(actor, compound_id=at.scene.compound_id, meter=new(at)),
        STAFF,
    ),
    "update": (
        WRITE,
        lambda actor, at: service.update_meter(actor, meter_id=at.meter, facts={"daily_most": None}), STAFF,
    ),
    "replace": (
        WRITE,
        lambda actor, at: service.replace_meter(
            actor, meter_id=at.meter, final_value=Decimal(120), successor=new(at)
        ),
        STAFF,
    ),
    "remove": (
        WRITE,
        lambda actor, at: service.remove_meter(
            actor, meter_id=at.meter, on_day=clock.today(), final_value=Decimal(120)
        ),
        STAFF,
    ),
    "record": (WRITE, record, STAFF),
    "review": (
        WRITE,
        lambda actor, at: review_reading(actor, reading_id=at.waiting, accept=False, reason="看不清"), STAFF,
    ),
    "import": (
        WRITE,
        lambda actor, at: meter_imports.import_meters(
            actor, compound_id=at.scene.compound_id, file_name="a.csv",
            data="表号,表类型,位数,初始读数,安装日期,楼栋,房号,单元\nA1,水表,5,0,2026-01-01,1,101,1".encode(),
        ),
        ANY_BUILDING,
    ),
    "import readings": (
        WRITE,
        lambda actor, at: meter_imports.import_readings(
            actor, compound_id=at.scene.compound_id, file_name="a.csv", data="表号,读数,日期\n没有,1,2026-02-01".encode(),
        ),
        ANY_BUILDING,
    ),
    "submit": (
        WRITE,
        lambda actor, at: readings.submit_meter_reading(
            actor, meter_id=at.meter, value=Decimal(120), idempotency_key=uuid4()
        ),
        HOUSE,
    ),
    "list": (
        READ,
        lambda actor, at: meter_queries.meters(
            actor, at.scene.compound_id, MeterFilter(), after=None, limit=5
        ),
        ANY_BUILDING,
    ),
    "list what waits": (
        WRITE,
        lambda actor, at: reading_queries.to_review(actor, at.scene.compound_id, None, after=None, limit=5),
        ANY_BUILDING,
    ),
    "report": (
        READ,
        lambda actor, at: consumption.report(
            actor, at.scene.compound_id, from_month=date(2026, 1, 1), until_month=date(2026, 2, 1)
        ),
        ANY_BUILDING,
    ),
    "list readings": (READ, list_readings, STAFF | HOUSE),
    "see a meter": (READ, see_meter, STAFF | HOUSE),
    "see a reading": (READ, see_reading, STAFF | HOUSE),
    "see what was used": (READ, see_use, STAFF | HOUSE),
    "list one's own": (READ, list_own, HOUSE),
}  # fmt: skip

LEFT_BEHIND = """
SELECT (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM meter t) AS meters,
    (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM meter_reading t) AS readings,
    (SELECT count(*) FROM outbox_message) AS events, (SELECT count(*) FROM idempotency_record) AS keys,
    (SELECT count(*) FROM audit_entry WHERE outcome = 'done') AS audited
"""


async def left_behind() -> tuple[object, ...]:
    row = await database.fetchrow(LEFT_BEHIND)
    assert row is not None
    return tuple(row.values())


@pytest.fixture
async def subject() -> Subject:
    scene = await residents.scene()
    await database.execute("UPDATE occupancy SET since_on = '2025-01-01' WHERE house_id = $1", scene.house_id)
    meter = await meters.meter(scene.compound_id, scene.house_id)
    answer = await meters.record(scene.compound_id, meter, 10, days(30))
    assert answer.reading_id is not None
    return Subject(scene, meter, answer.reading_id)


async def caller(scene: Scene, kind: str, permission: str) -> Actor:
    actor = await residents.caller(scene, kind, permission)
    if kind == "staff without":
        other = READ if permission == WRITE else identity_permissions.STAFF_READ
        return replace(actor, grants=(*actor.grants, Grant(other, scene.compound_id)))
    place = {
        "staff elsewhere": Grant(permission, scene.other_compound_id),
        "staff of another building": Grant(
            permission, scene.compound_id, frozenset({scene.other_building_id})
        ),
    }
    return replace(actor, grants=(*actor.grants, place[kind])) if kind in place else actor


@pytest.mark.parametrize("kind", CALLERS)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_operation_as_caller(subject: Subject, name: str, kind: str) -> None:
    permission, act, allowed = OPERATIONS[name]
    actor = await caller(subject.scene, kind, permission)
    if kind in allowed:
        await act(actor, subject)
        return
    before = await left_behind()
    with pytest.raises((Forbidden, Unauthenticated, NotFound)):
        await act(actor, subject)
    if not (name == "record" and kind == "staff of another building"):
        assert await left_behind() == before
    else:
        assert (await left_behind())[:3] == before[:3]


async def test_a_meter_of_no_building_is_in_nobodys_share(subject: Subject) -> None:
    scene = subject.scene
    shared = await meters.meter(scene.compound_id)
    local = residents.staff(READ, WRITE, compound_id=scene.compound_id, building_id=scene.building_id)
    with pytest.raises(Forbidden):
        await service.update_meter(local, meter_id=shared, facts={"daily_most": None})
    assert await meter_queries.by_id(local, [shared]) == {}
    assert (await meters.record(scene.compound_id, shared, 120, days(20), local)).code == "METER_NOT_FOUND"


async def test_residents_see_no_reading_before_they_came(subject: Subject) -> None:
    scene = subject.scene
    await database.execute(
        "UPDATE occupancy SET since_on = '2026-01-20' WHERE id = $1", scene.tenant.occupancy_id
    )
    tenant, owner = [await residents.resident(who.account_id) for who in (scene.tenant, scene.owner)]
    counts = [
        len(await reading_queries.of_meter(actor, subject.meter, after=None, limit=5))
        for actor in (tenant, owner)
    ]
    assert counts == [1, 2]
