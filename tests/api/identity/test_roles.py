"""Roles and their places: nobody gives, takes or reaches beyond what they hold."""

from __future__ import annotations

import asyncio

import pytest

from domains.identity.models import Account, Role, RoleAssignment
from schema.relay import decode, encode
from tests.api.identity.clients import Api, Json, codes, count
from tests.api.identity.office import ALL, MANAGES, STAFF, Office, assign, one, role_of, sid
from tests.factories.identity import (
    places,
    staff,
    token,
    unique,
)

pytestmark = pytest.mark.usefixtures("instance")


async def test_nobody_gives_a_permission_or_a_place_that_is_not_theirs(api: Api, office: Office) -> None:
    target = await staff(office.places, ["estate.read"], scope="compound", place_id=office.places.compound_id)
    strong, weak = await role_of(office.admin_id), await role_of(office.manager_id)
    here = encode("Compound", office.places.compound_id)
    there = encode("Compound", office.places.other_compound_id)
    region = encode("Region", office.places.region_id)
    before = await count("role_assignment")
    for role, scope in (
        (strong, {"compound": here}), (weak, {"compound": there}), (weak, {"company": True}), (weak, {"region": region}),
    ):  # fmt: skip
        answer = await assign(api, office.manager, target, role, **scope)
        assert codes(answer) == ["BEYOND_OWN_AUTHORITY"], scope
        answer = await assign(api, office.manager, office.manager_id, role, **scope)
        assert codes(answer) == ["BEYOND_OWN_AUTHORITY"], scope
    assert await count("role_assignment") == before
    given = await assign(
        api, office.manager, target, weak, building=encode("Building", office.places.building_id)
    )
    assert given["data"]["assignRole"]["errors"] == []
    assert await count("role_assignment") == before + 1


async def test_a_region_reaches_its_subtree(api: Api, office: Office) -> None:
    account = await staff(office.places, ["estate.read"], scope="region", place_id=office.places.region_id)
    answer = await api.ask("{ compounds { id } }", token=await token(account))
    assert len(answer["data"]["compounds"]) == 2


async def test_a_place_of_another_company_is_not_found(api: Api, office: Office) -> None:
    other = await places()
    target = await staff(office.places, ["estate.read"])
    role = await role_of(office.manager_id)
    for scope in (
        {"compound": encode("Compound", other.compound_id)},
        {"building": encode("Building", other.building_id)},
        {"region": encode("Region", other.region_id)},
    ):
        answer = await assign(api, office.admin, target, role, **scope)
        assert codes(answer["data"]["assignRole"]) == ["SCOPE_NOT_FOUND"], scope


async def test_the_same_role_is_given_once_and_taken_again(api: Api, office: Office) -> None:
    target = await staff(office.places, ["estate.read"])
    role = await role_of(office.manager_id)
    answers = await asyncio.gather(*(assign(api, office.admin, target, role, company=True) for _ in range(3)))
    outcomes = sorted(codes(answer["data"]["assignRole"]) for answer in answers)
    assert outcomes == [[], ["ROLE_ALREADY_ASSIGNED"], ["ROLE_ALREADY_ASSIGNED"]]
    row = await RoleAssignment.get(account_id=target, role__name=(await _role_name(role)))
    theirs = await token(target)
    assert (await api.me(theirs))["permissions"] == sorted(MANAGES)

    async def take() -> Json:
        return await api.run(
            "unassignRole",
            "UnassignRoleInput",
            STAFF,
            office.admin,
            assignment=encode("RoleAssignment", row.id),
        )

    assert (await take())["errors"] == []
    assert (await api.me(theirs))["permissions"] == ["estate.read"]
    assert codes(await take()) == ["ASSIGNMENT_NOT_FOUND"]


async def _role_name(role: str) -> str:
    return (await Role.get(pk=decode(role, "Role"))).name


async def test_a_role_counts_for_everybody_from_the_next_request(api: Api, office: Office) -> None:
    fields = "role { id name permissions holders }"
    name = unique("客服")
    made = await api.run(
        "createRole",
        "CreateRoleInput",
        fields,
        office.admin,
        name=name,
        permissions=["estate.read", "staff.read"],
    )
    role = made["role"]["id"]
    twice = await api.run("createRole", "CreateRoleInput", fields, office.admin, name=name, permissions=[])
    assert codes(twice) == ["ROLE_NAME_TAKEN"]
    target = await staff(office.places, [])
    await assign(api, office.admin, target, role, company=True)
    theirs = await token(target)
    changed = await api.run(
        "updateRole", "UpdateRoleInput", fields, office.admin, role=role, permissions=["estate.read"]
    )
    assert changed["role"]["permissions"] == ["estate.read"] and changed["role"]["holders"] == 1
    assert (await api.me(theirs))["permissions"] == ["estate.read"]
    refused = await api.run("deleteRole", "DeleteRoleInput", "role", office.admin, role=role)
    assert codes(refused) == ["ROLE_IN_USE"]


async def test_a_role_is_not_made_or_widened_beyond_ones_own(api: Api, office: Office) -> None:
    fields = "role { id }"
    before = await count("role")
    made = await api.attempt(
        "createRole",
        "CreateRoleInput",
        fields,
        office.manager,
        name=unique("越权"),
        permissions=["audit.read"],
    )
    assert codes(made) == ["BEYOND_OWN_AUTHORITY"]
    unknown = await api.run(
        "createRole", "CreateRoleInput", fields, office.admin, name=unique("未知"), permissions=["no.such"]
    )
    assert codes(unknown) == ["PERMISSION_UNKNOWN"]
    assert await count("role") == before
    strong = await role_of(office.admin_id)
    for more in ({"permissions": MANAGES}, {"name": "改名"}):
        answer = await api.attempt(
            "updateRole", "UpdateRoleInput", fields, office.manager, role=strong, **more
        )
        assert codes(answer) == ["BEYOND_OWN_AUTHORITY"]
    mine = await role_of(office.manager_id)
    answer = await api.attempt(
        "updateRole",
        "UpdateRoleInput",
        fields,
        office.manager,
        role=mine,
        permissions=[*MANAGES, "audit.read"],
    )
    assert codes(answer) == ["BEYOND_OWN_AUTHORITY"]
    assert (await api.me(office.manager))["permissions"] == sorted(MANAGES)


async def test_an_unused_role_is_deleted(api: Api, office: Office) -> None:
    made = await api.run(
        "createRole", "CreateRoleInput", "role { id }", office.admin, name=unique("临时"), permissions=[]
    )
    gone = await api.run("deleteRole", "DeleteRoleInput", "role", office.admin, role=made["role"]["id"])
    assert gone["role"] == made["role"]["id"]
    again = await api.run("deleteRole", "DeleteRoleInput", "role", office.admin, role=made["role"]["id"])
    assert codes(again) == ["ROLE_NOT_FOUND"]


async def test_the_last_administrator_stays(api: Api) -> None:
    there = await places()
    account = await staff(there, ALL)
    mine = await token(account)
    role = await role_of(account)
    assignment = await RoleAssignment.get(account_id=account)
    refusals = [
        await api.run(
            "unassignRole",
            "UnassignRoleInput",
            STAFF,
            mine,
            assignment=encode("RoleAssignment", assignment.id),
        ),
        await api.run(
            "updateRole", "UpdateRoleInput", "role { id }", mine, role=role, permissions=["staff.write"]
        ),
        await api.run(
            "updateStaff", "UpdateStaffInput", STAFF, mine, staff=sid(account), validFrom="2099-01-01"
        ),
    ]
    assert [codes(answer) for answer in refusals] == [["LAST_ADMINISTRATOR"]] * 3
    assert (await api.me(mine))["permissions"] == sorted(ALL)


async def test_two_administrators_who_disable_each_other_leave_one(api: Api) -> None:
    there = await places()
    first, second = await staff(there, ALL), await staff(there, ALL)
    tokens = await token(first), await token(second)
    answers = await asyncio.gather(
        one(api, "disableStaff", tokens[0], second), one(api, "disableStaff", tokens[1], first)
    )
    refused = [code for answer in answers for code in _all_codes(answer, "disableStaff")]
    # Whoever comes second is either no administrator's equal any more or would leave none.
    assert len(refused) == 1 and refused[0] in {"LAST_ADMINISTRATOR", "SESSION_ENDED"}
    enabled = [(await Account.get(pk=each)).disabled_at is None for each in (first, second)]
    assert sorted(enabled) == [False, True]


def _all_codes(answer: Json, mutation: str) -> list[str]:
    return codes(answer) if "errors" in answer else codes(answer["data"][mutation])
