"""The register of people: searched, masked, revealed for a reason, corrected."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domains.kernel import clock, database
from domains.kernel.documents import Kind
from domains.kernel.errors import DomainError, NotFound
from domains.residents import permissions
from domains.residents.models import Person
from domains.residents.queries import occupancies, ties
from domains.residents.queries import people as queries
from domains.residents.queries.people import PersonFilter
from domains.residents.service import people as service
from domains.residents.service.people import PersonChanges
from tests.factories import residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

ID_CARD = "330106199003078219"
PHONE = "13700001234"


@pytest.fixture
async def scene() -> Scene:
    made = await residents.scene()
    known = await residents.person(
        made.compound_id, "王小明", phone=PHONE, document=ID_CARD, tags=["独居老人"], population_kind="floating",
        ethnicity="畲族", registered_address="丽水市景宁县",
    )  # fmt: skip
    await residents.occupancy(made.far_house_id, known, "owner")
    return made


async def found(scene: Scene, narrowed: PersonFilter, **page: Any) -> list[str]:  # Any: after, limit
    actor = scene.staff(permissions.READ)
    rows = await queries.residents(actor, scene.compound_id, narrowed, **{"after": None, "limit": 50} | page)
    assert await queries.count_residents(actor, scene.compound_id, narrowed) >= len(rows)
    return [row.name for row in rows]


@pytest.mark.parametrize(
    ("narrowed", "names"),
    [
        (PersonFilter(name="小"), ["张小妹", "王小明"]),
        (PersonFilter(name="%"), []),
        (PersonFilter(phone="+86 137-0000-1234"), ["王小明"]),
        (PersonFilter(phone_tail="1234", name="王"), ["王小明"]),
        (PersonFilter(document_number="330106 19900307 8219"), ["王小明"]),
        (PersonFilter(house="2号楼"), ["王小明"]),
        (PersonFilter(house="1单元101"), ["张小妹", "张建国", "赵租客"]),
        (PersonFilter(population_kind="floating"), ["王小明"]),
        (PersonFilter(tag="独居老人"), ["王小明"]),
        (PersonFilter(tag="独居"), []),
        (PersonFilter(name="王", tag="没有"), []),
    ],
)
async def test_search(scene: Scene, narrowed: PersonFilter, names: list[str]) -> None:
    assert sorted(await found(scene, narrowed)) == sorted(names)


@pytest.mark.parametrize(
    ("narrowed", "code"),
    [
        (PersonFilter(phone="137"), "PHONE_INVALID"),
        (PersonFilter(phone_tail="12"), "PHONE_TAIL_INVALID"),
        (PersonFilter(phone_tail="１２３４"), "PHONE_TAIL_INVALID"),
        (PersonFilter(document_number="1" * 50), "TEXT_TOO_LONG"),
    ],
)
async def test_a_bad_search_says_so(scene: Scene, narrowed: PersonFilter, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        await found(scene, narrowed)
    assert refused.value.code == code


async def test_a_list_is_masked_audited_and_costs_what_one_row_costs(scene: Scene) -> None:
    actor = scene.staff(permissions.READ)
    async with database.counted() as cost:
        rows = await queries.residents(actor, scene.compound_id, PersonFilter(), after=None, limit=50)
        await occupancies.of_people(actor, [row.id for row in rows])
    assert cost.count == 3
    assert len(rows) == 5
    shown = next(row for row in rows if row.name == "王小明")
    assert (shown.phone, shown.document_number) == ("137****1234", "3301********8219")
    assert not {"sex", "born_on", "ethnicity", "registered_address"} & set(queries.Person.__slots__)
    [audit] = await residents.audited("resident.list", scene.compound_id)
    assert audit["actor_id"] == actor.id
    assert PHONE not in audit["details"]


async def test_a_building_narrows(scene: Scene) -> None:
    assert await found(scene, PersonFilter(building_id=scene.other_building_id)) == ["王小明"]
    assert await found(scene, PersonFilter(building_id=scene.other_building_id, house="101")) == []


async def test_pages_go_on_where_the_last_one_ended(scene: Scene) -> None:
    actor, seen = scene.staff(permissions.READ), []
    after: tuple[object, ...] | None = None
    while page := await queries.residents(actor, scene.compound_id, PersonFilter(), after=after, limit=2):
        seen += [row.id for row in page]
        after = (page[-1].name, page[-1].id)
    assert len(seen) == len(set(seen)) == 5


async def test_staff_of_a_building_reach_its_people_only(scene: Scene) -> None:
    actor = residents.staff(
        permissions.READ, permissions.REVEAL, permissions.WRITE,
        compound_id=scene.compound_id, building_id=scene.other_building_id,
    )  # fmt: skip
    rows = await queries.residents(actor, scene.compound_id, PersonFilter(), after=None, limit=50)
    assert [row.name for row in rows] == ["王小明"]
    hidden = PersonFilter(house="1号楼")
    assert await queries.residents(actor, scene.compound_id, hidden, after=None, limit=50) == []
    assert await queries.by_id(actor, [scene.owner.person_id]) == {}
    with pytest.raises(NotFound):
        await queries.reveal(actor, person_id=scene.owner.person_id, reason="核实身份")
    with pytest.raises(DomainError):
        await service.update_resident(actor, person_id=scene.owner.person_id, changes={"work_unit": "某厂"})
    assert (await Person.get(pk=scene.owner.person_id)).work_unit == ""


async def test_what_is_read_by_id_is_in_the_audit_of_its_own_compound(scene: Scene) -> None:
    """People of two compounds in one request are no way around the audit of either."""
    other = await residents.scene()
    here, there = scene.staff(permissions.READ), other.staff(permissions.READ)
    actor = replace(here, grants=here.grants + there.grants)
    both = [scene.owner, other.owner]
    assert len(await queries.by_id(actor, [each.person_id for each in both])) == 2
    assert len(await occupancies.by_id(actor, [each.occupancy_id for each in both])) == 2
    for at in (scene, other):
        [person] = await residents.audited("resident.read", at.compound_id)
        assert (person["subject_id"], person["actor_id"]) == (at.owner.person_id, actor.id)
        [occupancy] = await residents.audited("occupancy.read", at.compound_id)
        assert occupancy["subject_id"] == at.owner.occupancy_id
    assert await occupancies.by_id(await residents.newcomer(), [scene.owner.occupancy_id]) == {}


async def test_the_whole_record_is_for_a_reason_that_stays(scene: Scene) -> None:
    actor = scene.staff(permissions.REVEAL)
    known = await Person.get(compound_id=scene.compound_id, name="王小明")
    details = await queries.reveal(actor, person_id=known.id, reason="核对门禁卡申请")
    assert (details.phone, details.document_number, details.ethnicity) == (PHONE, ID_CARD, "畲族")
    [audit] = await residents.audited("resident.reveal", scene.compound_id)
    assert (audit["subject_id"], audit["actor_id"]) == (known.id, actor.id)
    assert "核对门禁卡申请" in audit["details"]
    assert ID_CARD not in audit["details"]
    with pytest.raises(DomainError) as refused:
        await queries.reveal(actor, person_id=known.id, reason=" ")
    assert refused.value.code == "TEXT_EMPTY"


async def test_correcting_a_record(scene: Scene) -> None:
    actor = scene.staff(permissions.WRITE)
    changes: PersonChanges = {
        "name": "张建军", "phone": "13800009999", "document": (Kind.RESIDENT_ID, ID_CARD), "sex": "male",
        "born_on": date(1990, 3, 7), "work_unit": "邮局", "population_kind": "permanent",
        "tags": ["志愿者", "志愿者", "党员"],
    }  # fmt: skip
    await service.update_resident(actor, person_id=scene.owner.person_id, changes=changes)
    row = await Person.get(pk=scene.owner.person_id)
    assert (row.name, row.sex, row.work_unit, row.population_kind) == ("张建军", "male", "邮局", "permanent")
    assert row.tags == ["志愿者", "党员"]
    assert await found(scene, PersonFilter(phone="13800009999")) == ["张建军"]
    assert sorted(await found(scene, PersonFilter(document_number=ID_CARD))) == ["张建军", "王小明"]
    await service.update_resident(
        actor, person_id=row.id, changes={"phone": None, "document": None, "sex": None}
    )
    assert await found(scene, PersonFilter(phone="13800009999")) == []
    [first, _] = await residents.audited("resident.update", scene.compound_id)
    assert "13800009999" not in first["details"]
    assert "phone" in first["details"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "NAME_LENGTH"),
        ({"phone": "139"}, "PHONE_INVALID"),
        ({"document": (Kind.RESIDENT_ID, "330106199003078211")}, "DOCUMENT_CHECK_DIGIT"),
        ({"work_unit": "长" * 81}, "TEXT_TOO_LONG"),
        ({"ethnicity": "畲\x00族"}, "TEXT_INVISIBLE_CHARACTER"),
        ({"tags": [""]}, "TEXT_EMPTY"),
        ({"tags": [str(number) for number in range(21)]}, "TOO_MANY_TAGS"),
        ({"born_on": clock.today() + timedelta(days=2)}, "BIRTH_DATE_IN_FUTURE"),
    ],
)
async def test_bad_corrections_change_nothing(scene: Scene, changes: PersonChanges, code: str) -> None:
    before = await residents.fingerprint()
    with pytest.raises(DomainError) as refused:
        await service.update_resident(
            scene.staff(permissions.WRITE), person_id=scene.owner.person_id, changes=changes
        )
    assert refused.value.code == code
    assert await residents.fingerprint() == before


async def test_an_account_that_is_loosened_sees_nothing_any_more(scene: Scene) -> None:
    actor = scene.staff(permissions.WRITE)
    await service.unlink_account(actor, person_id=scene.family.person_id, reason="手机号已换人")
    assert await ties(scene.family.account_id) == ()
    with pytest.raises(DomainError) as again:
        await service.unlink_account(actor, person_id=scene.family.person_id, reason="手机号已换人")
    assert again.value.code == "NOT_LINKED"


async def test_staff_of_a_building_do_not_lock_anybody_out_of_another(scene: Scene) -> None:
    await residents.occupancy(scene.far_house_id, scene.owner.person_id, "owner")
    await residents.occupancy(scene.far_house_id, scene.neighbour.person_id, "family")
    of_building = residents.staff(
        permissions.WRITE, compound_id=scene.compound_id, building_id=scene.other_building_id
    )
    before = await residents.fingerprint()
    with pytest.raises(DomainError) as refused:
        await service.unlink_account(of_building, person_id=scene.owner.person_id, reason="手机号已换人")
    assert refused.value.code == "PERSON_BEYOND_REACH"
    assert await residents.fingerprint() == before
    assert len(await ties(scene.owner.account_id)) == 2
    of_compound = scene.staff(permissions.WRITE)
    await service.unlink_account(of_compound, person_id=scene.owner.person_id, reason="手机号已换人")
    assert await ties(scene.owner.account_id) == ()


async def test_ones_own_records_are_in_clear(scene: Scene) -> None:
    me = await residents.resident(scene.owner.account_id)
    [profile] = await queries.own_profiles(me)
    assert (profile.name, profile.phone) == ("张建国", scene.owner.phone)
    assert await queries.own_profiles(await residents.newcomer()) == []
