"""Staff and roles as they are listed: by pages, and only where one may read."""

from __future__ import annotations

import pytest

from domains.kernel import database
from tests.api.identity.clients import Api, Json
from tests.api.identity.office import ALL, Office, create, role_of, sid
from tests.factories.identity import (
    company_named,
    login_of,
    new_phone,
    places,
    staff,
    token,
    unique,
)

pytestmark = pytest.mark.usefixtures("instance")


STAFF_PAGE = """query($first: Int!, $after: String, $filter: StaffFilter) {
  staff(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage endCursor } nodes { id login assignments { roleName placeName } } } }"""


async def page(api: Api, mine: str, first: int = 50, **more: object) -> Json:
    answer = await api.ask(STAFF_PAGE, {"first": first, **more}, mine)
    assert "errors" not in answer, answer
    return answer["data"]["staff"]


async def test_staff_are_listed_by_pages_and_searched(api: Api) -> None:
    there = await places()
    admin = await staff(there, ALL)
    logins = sorted(
        [await login_of(await staff(there, ["estate.read"])) for _ in range(5)] + [await login_of(admin)]
    )
    mine = await token(admin)
    first = await page(api, mine, 4)
    rest = await page(api, mine, 4, after=first["pageInfo"]["endCursor"])
    assert [row["login"] for row in first["nodes"] + rest["nodes"]] == logins
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (
        6,
        True,
        False,
    )
    found = await page(api, mine, filter={"search": logins[2][-6:]})
    assert [row["login"] for row in found["nodes"]] == [logins[2]]
    assert (await page(api, mine, filter={"search": "%"}))["nodes"] == []
    phone = new_phone()
    await create(api, mine, login=unique("phone"), phone=phone)
    assert len((await page(api, mine, filter={"search": phone}))["nodes"]) == 1
    assert (await page(api, mine, filter={"isDisabled": True}))["nodes"] == []
    role = await role_of(admin)
    assert [row["id"] for row in (await page(api, mine, filter={"role": role}))["nodes"]] == [sid(admin)]


async def test_the_number_of_statements_does_not_grow_with_the_list(api: Api) -> None:
    there = await places()
    mine = await token(await staff(there, ALL))
    counts = []
    for _ in range(2):
        async with database.counted() as statements:
            await page(api, mine)
        counts.append(statements.count)
        for _ in range(4):
            await staff(there, ["estate.read"])
    assert counts[0] == counts[1]


async def test_who_is_seen_depends_on_where_one_reads(api: Api, office: Office) -> None:
    there = await places()
    here = await staff(there, ["estate.read"], scope="building", place_id=there.building_id)
    away = await staff(there, ["estate.read"], scope="compound", place_id=there.other_compound_id)
    reader = await staff(there, ["staff.read"], scope="compound", place_id=there.compound_id)
    mine = await token(reader)
    assert {row["id"] for row in (await page(api, mine))["nodes"]} == {sid(here), sid(reader)}
    answer = await api.ask(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": [sid(here), sid(away), sid(office.admin_id)]},
        mine,
    )
    assert answer["data"]["nodes"] == [{"id": sid(here)}, None, None]


async def test_permissions_have_names_for_people(api: Api, office: Office) -> None:
    answer = await api.ask("{ permissions { name label } roles { name holders } }", token=office.manager)
    assert {"name": "staff.write", "label": "维护员工账号"} in answer["data"]["permissions"]
    assert answer["data"]["roles"]


async def test_a_company_without_compounds_has_an_administrator_who_holds_nothing_yet(api: Api) -> None:
    company = unique("空公司")
    await company_named(company)
    mine = await token(await staff(company, ALL))
    assert (await api.me(mine))["permissions"] == []
