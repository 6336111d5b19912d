"""Every operation on staff, by every kind of caller: who may, who may not, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from domains.identity.models import RoleAssignment
from domains.kernel import database
from domains.kernel.actor import Capacity
from schema.relay import encode
from tests.api.identity.clients import Api, codes, count
from tests.factories import estate, residents
from tests.factories.identity import Places, places, resident, staff, token, unique

pytestmark = pytest.mark.usefixtures("instance")

ALL = ["estate.read", "staff.read", "staff.write", "roles.write", "audit.read"]
DENIED = "FORBIDDEN"
BEYOND = "BEYOND_OWN_AUTHORITY"


@dataclass
class World:
    """One company's places, what the operations are tried on, and a token for each kind of caller."""

    places: Places
    target: UUID
    role: UUID
    assignment: UUID
    tokens: dict[str, str | None]


async def _living(house: UUID, capacity: Capacity) -> str:
    return await token((await residents.occupant(house, capacity)).account_id)


@pytest.fixture(scope="module")
async def world(instance: object) -> World:
    there, other = await places(), await places()
    house, next_door = [await estate.house(there.building_id, room) for room in ("101", "102")]
    target = await staff(there, ["estate.read"], scope="building", place_id=there.building_id)
    assignment = await RoleAssignment.get(account_id=target).select_related("role")
    tokens: dict[str, str | None] = {
        "owner": await _living(house, "owner"),
        "family": await _living(house, "family"),
        "tenant": await _living(house, "tenant"),
        "neighbour": await _living(next_door, "owner"),
        "stranger": await token(await resident()),
        "administrator": await token(await staff(there, ALL)),
        "manager": await token(await staff(there, ALL, scope="compound", place_id=there.compound_id)),
        "clerk": await token(await staff(there, ["estate.read"])),
        "manager of another compound": await token(
            await staff(there, ALL, scope="compound", place_id=there.other_compound_id)
        ),
        "manager of another building": await token(
            await staff(there, ALL, scope="building", place_id=there.other_building_id)
        ),
        "another company": await token(await staff(other, ALL)),
        "nobody": None,
    }
    return World(there, target, assignment.role.id, assignment.id, tokens)


Operation = Callable[[World], tuple[str, dict[str, object]]]


def _staff(world: World) -> str:
    return encode("Staff", world.target)


OPERATIONS: dict[str, Operation] = {
    "createStaff": lambda w: (
        "CreateStaffInput",
        {
            "login": unique("m"),
            "name": "新人",
            "roles": [
                {
                    "role": encode("Role", w.role),
                    "scope": {"building": encode("Building", w.places.building_id)},
                }
            ],
        },
    ),
    "updateStaff": lambda w: ("UpdateStaffInput", {"staff": _staff(w), "name": "改名"}),
    "disableStaff": lambda w: ("StaffInput", {"staff": _staff(w)}),
    "enableStaff": lambda w: ("StaffInput", {"staff": _staff(w)}),
    "resetStaffPassword": lambda w: ("ResetStaffPasswordInput", {"staff": _staff(w)}),
    "assignRole": lambda w: (
        "AssignRoleInput",
        {
            "staff": _staff(w),
            "role": encode("Role", w.role),
            "scope": {"compound": encode("Compound", w.places.compound_id)},
        },
    ),
    "unassignRole": lambda w: ("UnassignRoleInput", {"assignment": encode("RoleAssignment", w.assignment)}),
    "createRole": lambda w: ("CreateRoleInput", {"name": unique("r"), "permissions": ["estate.read"]}),
    "updateRole": lambda w: ("UpdateRoleInput", {"role": encode("Role", w.role), "name": unique("r")}),
    "deleteRole": lambda w: ("DeleteRoleInput", {"role": encode("Role", w.role)}),
}
NOT_FOUND = {
    "createStaff": "ROLE_NOT_FOUND",
    "assignRole": "STAFF_NOT_FOUND",
    "unassignRole": "ASSIGNMENT_NOT_FOUND",
    "updateRole": "ROLE_NOT_FOUND",
    "deleteRole": "ROLE_NOT_FOUND",
}
RESIDENTS = ("owner", "family", "tenant", "neighbour", "stranger", "clerk")
REFUSED: list[tuple[str, str, str]] = [
    *((name, caller, DENIED) for name in OPERATIONS for caller in RESIDENTS),
    *((name, "nobody", "UNAUTHENTICATED") for name in OPERATIONS),
    *(
        (name, "another company", NOT_FOUND.get(name, "STAFF_NOT_FOUND"))
        for name in OPERATIONS
        if name != "createRole"
    ),
    *(
        (name, caller, BEYOND)
        for name in OPERATIONS
        for caller in ("manager of another compound", "manager of another building")
        if name not in ("createRole", "deleteRole")
    ),
]


async def state() -> object:
    """Everything that an operation here could change."""
    tables = ("account", "staff_member", "role", "role_assignment", "session", "outbox_message")
    return [
        await database.fetchval(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t")
        for table in tables
    ]


@pytest.mark.parametrize(("name", "caller", "code"), REFUSED)
async def test_a_refusal_changes_nothing(api: Api, world: World, name: str, caller: str, code: str) -> None:
    kind, input = OPERATIONS[name](world)
    before, done = await state(), await count("audit_entry", "outcome = 'done'")
    answer = await api.attempt(name, kind, "__typename", world.tokens[caller], **input)
    assert (codes(answer) if "errors" in answer else codes(answer["data"][name])) == [code]
    assert await state() == before
    assert await count("audit_entry", "outcome = 'done'") == done


@pytest.mark.parametrize("caller", ["administrator", "manager"])
@pytest.mark.parametrize(
    "name",
    [
        "createStaff",
        "updateStaff",
        "disableStaff",
        "enableStaff",
        "resetStaffPassword",
        "createRole",
        "updateRole",
    ],
)
async def test_who_may_does_and_leaves_a_row(api: Api, world: World, name: str, caller: str) -> None:
    kind, input = OPERATIONS[name](world)
    done = await count("audit_entry", "outcome = 'done'")
    answer = await api.run(name, kind, "__typename", world.tokens[caller], **input)
    assert answer["errors"] == []
    assert await count("audit_entry", "outcome = 'done'") == done + 1


READS = {
    "{ staff { nodes { id } } }": (
        "administrator",
        "manager",
        "manager of another compound",
        "another company",
    ),
    "{ roles { id } }": ("administrator", "manager", "manager of another building", "another company"),
    "{ permissions { name } }": ("administrator", "manager", "clerk", "another company"),
    "{ auditLog { nodes { id } } }": ("administrator", "another company"),
}


@pytest.mark.parametrize("query", READS)
async def test_who_may_not_read_is_refused(api: Api, world: World, query: str) -> None:
    for caller, mine in world.tokens.items():
        answer = await api.ask(query, token=mine)
        if caller in READS[query]:
            assert "errors" not in answer, (caller, answer)
        elif caller in RESIDENTS or caller == "nobody":
            assert codes(answer) == ["UNAUTHENTICATED" if caller == "nobody" else DENIED], caller


async def test_nobody_sees_staff_or_roles_of_another_company(api: Api, world: World) -> None:
    ids = [encode("Staff", world.target), encode("Role", world.role)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } staff { nodes { id } } roles { id } }"
    answer = await api.ask(query, {"ids": ids}, world.tokens["another company"])
    assert answer["data"]["nodes"] == [None, None]
    seen = [row["id"] for row in answer["data"]["staff"]["nodes"] + answer["data"]["roles"]]
    assert not set(ids) & set(seen)
    for caller in ("owner", "stranger", "nobody"):
        hidden = await api.ask(
            "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}, world.tokens[caller]
        )
        assert hidden["data"]["nodes"] == [None, None]
