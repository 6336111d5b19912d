"""A register that comes a second time, changed: it updates, it never doubles, it ends what it owns."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domains.estate.models import House
from domains.kernel import clock, database, sealing
from domains.kernel.actor import SYSTEM, Actor, Grant
from domains.kernel.documents import check_digit
from domains.kernel.errors import Forbidden, NotFound, Unauthenticated
from domains.kernel.files import storage
from domains.kernel.ids import uuid7
from domains.kernel.models import AuditEntry
from domains.residents.importing import files
from domains.residents.importing.rows import PHONE
from domains.residents.models import Occupancy, Person, RegisterImport, Vehicle
from domains.residents.service.imports import ImportReport, apply_import, import_register
from tests.unit.residents.registers import house, person, register
from tests.unit.residents.test_importing import compound, sizes

pytestmark = pytest.mark.usefixtures("instance")


def identity(first: str) -> str:
    """An identity number with its right check digit."""
    return first + check_digit(first)


ID_WANG = identity("33019919860412091")


async def load(compound_id: UUID, data: bytes, *, apply: bool = True) -> ImportReport:
    return await import_register(SYSTEM, compound_id=compound_id, file_name="r.xlsx", data=data, apply=apply)


async def owners(compound_id: UUID, room: str) -> list[str]:
    rows = await Occupancy.filter(
        compound_id=compound_id, house__room=room, capacity="owner", ended_at=None
    ).values_list("person__name", flat=True)
    return sorted(str(name) for name in rows)


async def test_a_sold_house_changes_hands_and_keeps_its_history() -> None:
    id = await compound("易主苑")
    await load(id, register([house("101", "王伟", "19900000001"), house("102", "李静", "19900000002")]))
    report = await load(
        id, register([house("101", "张敏", "19900000003"), house("102", "李静", "19900000002")])
    )
    assert report.counts["occupancies_ended"] == 1
    assert report.counts["people_created"] == 1
    assert await owners(id, "101") == ["张敏"]
    assert await owners(id, "102") == ["李静"]
    ended = await Occupancy.get(compound_id=id, person__name="王伟")
    assert ended.ended_at is not None
    assert ended.end_reason == "register"


async def test_a_register_that_is_silent_about_a_house_leaves_it_alone() -> None:
    id = await compound("部分苑")
    await load(id, register([house("101", "王伟", "19900000011"), house("102", "李静", "19900000012")]))
    report = await load(id, register([house("102", "李静", "19900000012", area=90)]))
    assert report.counts["occupancies_ended"] == 0
    assert await owners(id, "101") == ["王伟"]
    assert (await House.get(compound_id=id, room="102")).built_area_m2 == Decimal("90.00")


async def test_what_staff_verified_is_not_the_registers_to_end() -> None:
    id = await compound("核实苑")
    await load(id, register([house("101", "王伟", "19900000021")]))
    await Occupancy.filter(compound_id=id).update(verified_by="staff")
    await load(id, register([house("101", "张敏", "19900000022")]))
    assert await owners(id, "101") == ["张敏", "王伟"]


async def test_one_human_in_many_rows_is_one_record() -> None:
    id = await compound("同人苑")
    data = register(
        [
            house("101", "王伟", "19900000031", document=ID_WANG),
            house("201", "王伟", "19900000031", document=ID_WANG),
        ],
        [person("101", "王伟", "业主", "19900000031"), person("101", "王小宝", "子女")],
    )
    await load(id, data)
    assert await Person.filter(compound_id=id, name="王伟").count() == 1
    assert await Occupancy.filter(compound_id=id, person__name="王伟").count() == 2
    child = await Occupancy.get(compound_id=id, person__name="王小宝")
    assert (child.capacity, child.relation) == ("family", "子女")


async def test_namesakes_with_different_documents_stay_two_people() -> None:
    id = await compound("同名苑")
    other = identity("33019919900101001")
    data = register(
        [house("101", "王伟", document=ID_WANG), house("102", "王伟", document=other)],
    )
    await load(id, data)
    assert await Person.filter(compound_id=id, name="王伟").count() == 2
    again = await load(id, data)
    assert set(again.counts.values()) == {0}


async def test_a_new_phone_updates_the_person_sealed_and_found() -> None:
    id = await compound("换号苑")
    await load(id, register([house("101", "王伟", "19900000041", document=ID_WANG)]))
    await load(id, register([house("101", "王伟", "19900000042", document=ID_WANG)]))
    (someone,) = await Person.filter(compound_id=id)
    assert someone.phone_sealed is not None
    assert sealing.unseal(someone.phone_sealed, PHONE) == "19900000042"
    assert bytes(someone.phone_index or b"") == sealing.find("19900000042", PHONE)
    assert b"19900000042" not in bytes(someone.phone_sealed)


async def test_people_of_an_unknown_house_refuse_the_whole_file() -> None:
    id = await compound("缺房苑")
    await load(id, register([house("101", "王伟", "19900000051")]))
    before = await sizes(id)
    report = await load(id, register(people=[person("101", "王母", "父母"), person("909", "生人", "租户")]))
    assert report.state == "refused"
    assert [(error["row"], error["code"]) for error in report.errors] == [(3, "HOUSE_UNKNOWN")]
    assert await sizes(id) == before


async def test_people_of_a_house_that_is_already_there_are_added() -> None:
    id = await compound("补录苑")
    await load(id, register([house("101", "王伟", "19900000061", plate="浙A12345")]))
    report = await load(id, register(people=[person("101", "王母", "父母")]))
    assert report.state == "applied"
    assert report.counts["people_created"] == 1
    assert (await Vehicle.get(compound_id=id)).plate == "浙A12345"


async def test_a_staged_import_says_what_it_would_do_and_does_it_once() -> None:
    id = await compound("预览苑")
    data = register([house("101", "王伟", "19900000071")])
    staged = await load(id, data, apply=False)
    assert staged.state == "staged"
    assert staged.counts["houses_created"] == 1
    assert set((await sizes(id)).values()) == {0}
    results = await asyncio.gather(
        *(apply_import(SYSTEM, import_id=staged.id) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(result, ImportReport) for result in results) == 1
    assert await House.filter(compound_id=id).count() == 1


async def test_two_imports_at_once_double_nothing() -> None:
    id = await compound("并发苑")
    data = register([house(f"{floor}01", f"业主{chr(0x4E00 + floor)}") for floor in range(1, 30)])
    await asyncio.gather(*(load(id, data) for _ in range(4)))
    assert (await sizes(id))["House"] == 29
    assert (await sizes(id))["Person"] == 29
    assert (await sizes(id))["Occupancy"] == 29


def staff(compound_id: UUID, *, building: UUID | None = None, permission: str = "estate.import") -> Actor:
    scope = None if building is None else frozenset({building})
    return Actor(
        kind="staff", account_id=uuid7(), name="员工", grants=(Grant(permission, compound_id, scope),)
    )


async def test_only_staff_with_the_permission_over_the_whole_compound_may_import() -> None:
    id, elsewhere = await compound("权限苑"), await compound("别的苑")
    data = register([house("101", "王伟")])
    refused = {
        "another compound's": staff(elsewhere),
        "one building's": staff(id, building=uuid7()),
        "without the permission": staff(id, permission="estate.read"),
        "a resident": Actor(kind="resident", account_id=uuid7()),
    }
    for who, actor in refused.items():
        with pytest.raises(Forbidden):
            await import_register(actor, compound_id=id, file_name="r.xlsx", data=data, apply=True)
        assert set((await sizes(id)).values()) == {0}, who
    with pytest.raises(Unauthenticated):
        await import_register(Actor(), compound_id=id, file_name="r.xlsx", data=data, apply=True)
    assert not await RegisterImport.exists(compound_id=id)
    done = await import_register(staff(id), compound_id=id, file_name="r.xlsx", data=data, apply=True)
    assert done.state == "applied"
    actions = await AuditEntry.filter(compound_id=id).order_by("id").values_list("action", flat=True)
    assert list(map(str, actions)) == ["compound.found", "register.stage", "register.apply"]


async def test_a_lease_does_not_survive_becoming_an_owner() -> None:
    id = await compound("买房苑")
    await load(id, register([house("101", None)], [person("101", "王伟", "租户", "19900000081")]))
    await Occupancy.filter(compound_id=id).update(lease_until_on=date(2030, 1, 1))
    await load(id, register([house("101", "王伟", "19900000081")]))
    row = await Occupancy.get(compound_id=id, ended_at=None)
    assert (row.capacity, row.lease_until_on) == ("owner", None)


async def test_the_number_of_statements_does_not_grow_with_the_register() -> None:
    id = await compound("语句苑")
    counts = []
    for size in (2, 40):
        data = register(
            [house(f"{floor}0{size % 9}", f"业主{chr(0x4E00 + floor)}") for floor in range(1, size)]
        )
        async with database.counted() as statements:
            await load(id, data)
        counts.append(statements.count)
    assert counts[0] == counts[1]


async def test_a_built_area_below_the_known_inner_area_drops_the_inner_area() -> None:
    id = await compound("面积苑")
    await load(id, register([house("101", "王伟")]))
    await House.filter(compound_id=id).update(inner_area_m2=Decimal("80"))
    report = await load(id, register([house("101", "王伟", area=70)]))
    assert report.state == "applied"
    row = await House.get(compound_id=id)
    assert (row.built_area_m2, row.inner_area_m2) == (Decimal("70.00"), None)


async def test_an_uploaded_file_is_sealed_and_forgotten_once_applied() -> None:
    id = await compound("封存苑")
    data = register([house("101", "王伟", "19900000091")])
    staged = await load(id, data, apply=False)
    key = (await RegisterImport.get(pk=staged.id)).file_key
    kept = b"".join([chunk async for chunk in await storage().open(key)])
    assert data[:100] not in kept
    assert not kept.startswith(b"PK")
    assert await files.read(key) == data
    await apply_import(SYSTEM, import_id=staged.id)
    assert (await RegisterImport.get(pk=staged.id)).file_key == ""
    with pytest.raises(NotFound):
        await storage().stat(key)


async def test_a_register_that_was_never_applied_is_forgotten_after_a_week() -> None:
    id = await compound("遗忘苑")
    staged = await load(id, register([house("101", "王伟")]), apply=False)
    key = (await RegisterImport.get(pk=staged.id)).file_key
    await files.forget_old(clock.now())
    assert await files.read(key)
    await RegisterImport.filter(pk=staged.id).update(uploaded_at=clock.now() - timedelta(days=8))
    await files.forget_old(clock.now())
    with pytest.raises(NotFound):
        await storage().stat(key)
    with pytest.raises(NotFound):
        await apply_import(SYSTEM, import_id=staged.id)


async def test_a_wrong_phone_is_not_kept_in_clear() -> None:
    id = await compound("错号苑")
    report = await load(id, register([house("101", "王伟", "1990000009")]))
    (error,) = report.errors
    assert error["value"] == "•" * 10
    kept = await RegisterImport.get(pk=report.id)
    assert "1990000009" not in str(kept.errors)
