"""What the page of a house asks of the API: its vacancies, and who may be named as the one who pays."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.kernel import database
from domains.residents import permissions as register
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import billing, charges, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
VACANCIES = """query($c: ID!, $h: ID) { vacancies(compound: $c, house: $h, first: 5) {
    nodes { houseNumber fromOn } totalCount } }"""
PEOPLE = (
    "query($h: ID!) { node(id: $h) { ... on House { occupancies { person name } members { person name } } } }"
)
CHARGES = "query($c: ID!, $h: ID) { oneOffCharges(compound: $c, house: $h) { nodes { isBilled bill houseNumber } } }"


@pytest.fixture
async def scene() -> Scene:
    """A house that is said to be vacant, and one next door."""
    made = await residents.scene()
    await billing.vacancy(made.house_id, date(2026, 3, 1), date(2026, 6, 1))
    await billing.vacancy(made.next_door_id, date(2026, 4, 1), date(2026, 6, 1))
    return made


async def staff(scene: Scene, *granted: str, building_id: UUID | None = None) -> str:
    """The token of staff over the compound, or over a building of it."""
    company = await database.fetchval(
        "SELECT y.name FROM compound c JOIN company y ON y.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    scope, place = ("building", building_id) if building_id else ("compound", scene.compound_id)
    return await identity.token(await identity.staff(company, granted, scope=scope, place_id=place))  # type: ignore[arg-type]  # one of the scopes


async def asked(api: Api, scene: Scene, token: str | None, query: str = VACANCIES) -> Json:
    """The whole answer about the scene's house."""
    house = encode("House", scene.house_id)
    return await api.ask(query, {"c": encode("Compound", scene.compound_id), "h": house}, token)


async def test_a_houses_vacancies_are_listed_to_staff_of_its_building(api: Api, scene: Scene) -> None:
    own = {"nodes": [{"houseNumber": "1号楼1单元101", "fromOn": "2026-03-01"}], "totalCount": 1}
    for building_id in (None, scene.building_id):
        token = await staff(scene, permissions.FEES_READ, building_id=building_id)
        assert (await asked(api, scene, token))["data"]["vacancies"] == own
    far = await staff(scene, permissions.FEES_READ, building_id=scene.other_building_id)
    assert (await asked(api, scene, far))["data"]["vacancies"] == {"nodes": [], "totalCount": 0}


async def test_a_house_of_another_compound_has_none_here(api: Api, scene: Scene) -> None:
    elsewhere = await residents.scene()
    await billing.vacancy(elsewhere.house_id, date(2026, 3, 1), date(2026, 6, 1))
    given = {"c": encode("Compound", scene.compound_id), "h": encode("House", elsewhere.house_id)}
    answer = await api.ask(VACANCIES, given, await staff(scene, permissions.FEES_READ))
    assert answer["data"]["vacancies"]["nodes"] == []


async def test_nobody_else_lists_vacancies(api: Api, scene: Scene) -> None:
    people = (scene.owner, scene.family, scene.tenant, scene.neighbour)
    tokens = [await identity.token(each.account_id) for each in people]
    tokens += [await identity.token(await identity.resident()), await staff(scene, permissions.BILLS_READ)]
    tokens += [await staff(await residents.scene(), *permissions.LABELS)]
    for token in tokens:
        assert codes(await asked(api, scene, token)) == ["FORBIDDEN"]
    assert codes(await asked(api, scene, None)) == ["UNAUTHENTICATED"]


async def test_ids_of_people_are_for_staff_alone(api: Api, scene: Scene) -> None:
    token = await staff(scene, register.READ, "estate.read")
    found = (await asked(api, scene, token, PEOPLE))["data"]["node"]
    named = {each["name"]: each["person"] for each in found["occupancies"]}
    assert named == {
        each.name: encode("Person", each.person_id) for each in (scene.owner, scene.family, scene.tenant)
    }
    for resident in (scene.owner, scene.family, scene.tenant):
        answer = await asked(api, scene, await identity.token(resident.account_id), PEOPLE)
        shown = answer["data"]["node"]
        assert shown["occupancies"] is None and {each["person"] for each in shown["members"]} == {None}
        assert codes(answer) == ["FORBIDDEN"]


async def test_a_single_charge_leads_to_its_bill(api: Api, scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "one_off")
    billed = await charges.one_off(scene.house_id, item, date(2026, 5, 3), 2_550)
    await charges.one_off(scene.house_id, item, date(2026, 6, 3), 2_550)
    approver = await staff(scene, permissions.RUNS_APPROVE, permissions.BILLS_READ)
    made = await api.run(
        "billOneOff", "BillOneOffInput", "bills { id }", approver, charge=encode("OneOffCharge", billed)
    )
    found = (await asked(api, scene, await staff(scene, permissions.FEES_READ), CHARGES))["data"]
    assert found["oneOffCharges"]["nodes"] == [
        {"isBilled": False, "bill": None, "houseNumber": "1号楼1单元101"},
        {"isBilled": True, "bill": made["bills"][0]["id"], "houseNumber": "1号楼1单元101"},
    ]
