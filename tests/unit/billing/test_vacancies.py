"""Vacancies: asked for by owners, decided once, told to who asked; never twice for a day."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Literal
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import Vacancy
from domains.billing.queries import vacancies as queries
from domains.billing.service import vacancies as service
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import DomainError, Invalid
from tests.factories import identity, residents
from tests.factories.relaying import data_of, deliver, deliver_again, told
from tests.factories.residents import Scene, events

pytestmark = pytest.mark.usefixtures("instance")


def day(month: int) -> date:
    return date(2026, month, 1)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def owner(scene: Scene) -> Actor:
    return await residents.resident(scene.owner.account_id)


async def ask(scene: Scene, from_on: date, until_on: date, note: str = "") -> UUID:
    return await service.request_vacancy(
        await owner(scene), house_id=scene.house_id, from_on=from_on, until_on=until_on, note=note
    )


async def decide(scene: Scene, id: UUID, approve: bool = True, reason: str = "") -> UUID:
    actor = scene.staff(permissions.FEES_WRITE)
    return await service.decide_vacancy(actor, vacancy_id=id, approve=approve, reason=reason)


async def test_asked_for_approved_and_told(scene: Scene) -> None:
    id = await ask(scene, day(3), day(9), "出国半年")
    assert [(row.state, row.note) for row in await queries.own(await owner(scene))] == [
        ("requested", "出国半年")
    ]
    await decide(scene, id)
    await deliver()
    assert (await Vacancy.get(pk=id)).state == "approved"
    assert await told(scene.owner.account_id) == ["vacancy.approved"]
    data = await data_of(scene.owner.account_id, "vacancy.approved")
    assert data["days"] == "2026-03-01 – 2026-08-31"
    assert await told(scene.family.account_id) == []


async def test_staff_who_may_decide_are_told_of_a_request(scene: Scene) -> None:
    """Those of the building, once, and only while it waits; not of what staff record themselves."""
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )

    async def clerk(permission: str, scope: Literal["compound", "building"], place_id: UUID) -> UUID:
        return await identity.staff(company, [permission], scope=scope, place_id=place_id)

    decides = await clerk(permissions.FEES_WRITE, "compound", scene.compound_id)
    there = await clerk(permissions.FEES_WRITE, "building", scene.building_id)
    others = [
        await clerk(permissions.FEES_READ, "compound", scene.compound_id),
        await clerk(permissions.FEES_WRITE, "building", scene.other_building_id),
        await clerk(permissions.FEES_WRITE, "compound", scene.other_compound_id),
    ]
    await ask(scene, day(3), day(9))
    decided = await ask(scene, day(9), day(10))
    await decide(scene, decided)
    staff = scene.staff(permissions.FEES_WRITE)
    await service.record_vacancy(staff, house_id=scene.house_id, from_on=day(11), until_on=day(12))
    await deliver()
    await deliver_again()
    for account_id in (decides, there):
        assert await told(account_id) == ["vacancy.requested"]
        assert (await data_of(account_id, "vacancy.requested"))["days"] == "2026-03-01 – 2026-08-31"
    assert [await told(account_id) for account_id in others] == [[], [], []]
    assert "vacancy.requested" not in await told(scene.owner.account_id)


async def test_rejected_with_a_reason(scene: Scene) -> None:
    id = await ask(scene, day(3), day(9))
    with pytest.raises(Invalid, match="REASON_REQUIRED"):
        await decide(scene, id, approve=False, reason="  ")
    await decide(scene, id, approve=False, reason="水表仍在走字\n请核实")
    await deliver()
    assert (await data_of(scene.owner.account_id, "vacancy.rejected"))["reason"] == "水表仍在走字 请核实"
    await ask(scene, day(3), day(9))


async def test_of_two_who_decide_one_does(scene: Scene) -> None:
    id = await ask(scene, day(3), day(9))
    done = await asyncio.gather(
        decide(scene, id), decide(scene, id, approve=False, reason="不符"), return_exceptions=True
    )
    assert [each.code for each in done if isinstance(each, DomainError)] == ["STATE_CONFLICT"]
    assert len(await events("VacancyDecided", id)) == 1


async def test_no_day_twice(scene: Scene) -> None:
    attempts = await asyncio.gather(
        *(ask(scene, day(n), day(n + 3)) for n in (1, 2, 3)), return_exceptions=True
    )
    refused = [each.code for each in attempts if isinstance(each, DomainError)]
    assert refused == ["VACANCY_OVERLAPS"] * 2
    kept = await Vacancy.get(house_id=scene.house_id)
    await ask(scene, kept.until_on, date(2026, 12, 1))


async def test_requests_that_wait_are_few(scene: Scene) -> None:
    for n in range(1, 6):
        await ask(scene, day(n), day(n + 1))
    with pytest.raises(DomainError, match="VACANCIES_TOO_MANY"):
        await ask(scene, day(8), day(9))
    staff = scene.staff(permissions.FEES_WRITE)
    await service.record_vacancy(staff, house_id=scene.house_id, from_on=day(8), until_on=day(9))
    assert await Vacancy.filter(house_id=scene.house_id, state="approved").count() == 1


@pytest.mark.parametrize(
    ("until_on", "note", "code"),
    [
        (day(3), "", "SPAN_INVALID"),
        (day(2), "", "SPAN_INVALID"),
        (date(2029, 3, 3), "", "SPAN_INVALID"),
        (day(4), "长" * 201, "TEXT_TOO_LONG"),
    ],
)
async def test_days_that_cannot_be(scene: Scene, until_on: date, note: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        await ask(scene, day(3), until_on, note)
    assert refused.value.code == code
    assert not await Vacancy.exists(house_id=scene.house_id)


async def test_lived_in_again_earlier(scene: Scene) -> None:
    staff = scene.staff(permissions.FEES_WRITE)
    id = await service.record_vacancy(staff, house_id=scene.house_id, from_on=day(3), until_on=day(9))
    for wrong in (day(3), day(10)):
        with pytest.raises(Invalid, match="SPAN_INVALID"):
            await service.end_vacancy(staff, vacancy_id=id, until_on=wrong)
    await service.end_vacancy(staff, vacancy_id=id, until_on=day(6))
    assert (await Vacancy.get(pk=id)).until_on == day(6)
    with pytest.raises(DomainError, match="VACANCY_NOT_FOUND"):
        await service.end_vacancy(staff, vacancy_id=uuid4(), until_on=day(6))
    waiting = await ask(scene, day(10), day(11))
    with pytest.raises(DomainError, match="STATE_CONFLICT"):
        await service.end_vacancy(staff, vacancy_id=waiting, until_on=date(2026, 10, 15))


async def test_an_owner_reads_nothing_of_the_owner_before(scene: Scene) -> None:
    id = await ask(scene, day(3), day(9), "私事")
    await database.execute(
        "UPDATE vacancy SET requested_at = requested_at - interval '1 year' WHERE id = $1", id
    )
    assert await queries.own(await owner(scene)) == []
    assert await queries.by_id(await owner(scene), [id]) == {}


async def test_pages_for_staff(scene: Scene) -> None:
    ids = [await ask(scene, day(n), day(n + 1)) for n in (1, 2, 3)]
    await decide(scene, ids[0])
    staff = scene.staff(permissions.FEES_READ)
    first = await queries.for_staff(staff, scene.compound_id, state="requested", after=None, limit=1)
    after = (first[0].requested_at, first[0].id)
    then = await queries.for_staff(staff, scene.compound_id, state="requested", after=after, limit=5)
    assert [row.id for row in (*first, *then)] == [ids[2], ids[1]]
    assert await queries.count_for_staff(staff, scene.compound_id, None) == 3
    elsewhere = residents.staff(
        permissions.FEES_READ, compound_id=scene.compound_id, building_id=scene.other_building_id
    )
    assert await queries.for_staff(elsewhere, scene.compound_id, state=None, after=None, limit=9) == []
