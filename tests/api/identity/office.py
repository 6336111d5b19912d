"""An office of a property company, and what is asked of the API about its staff."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.identity.models import RoleAssignment
from schema.relay import encode
from tests.api.identity.clients import Api, Json
from tests.factories.identity import Places, places, staff, token, unique

ALL = ["estate.read", "estate.write", "staff.read", "staff.write", "roles.write", "audit.read"]
MANAGES = ["staff.read", "staff.write", "roles.write", "estate.read"]
STAFF = "staff { id login name phone disabledAt assignments { id roleName scope place placeName } }"


@dataclass
class Office:
    """A company with its administrator and a manager of its first compound."""

    places: Places
    admin_id: UUID
    admin: str
    manager_id: UUID
    manager: str


async def open_office() -> Office:
    """A company of its own with both of them."""
    there = await places()
    admin = await staff(there, ALL)
    manager = await staff(there, MANAGES, scope="compound", place_id=there.compound_id)
    return Office(there, admin, await token(admin), manager, await token(manager))


def sid(account_id: UUID) -> str:
    """The global id of a staff member."""
    return encode("Staff", account_id)


async def role_of(account_id: UUID) -> str:
    """The global id of the one role of an account."""
    assignment = await RoleAssignment.get(account_id=account_id).select_related("role")
    return encode("Role", assignment.role.id)


async def create(api: Api, mine: str, **more: object) -> Json:
    """The payload of createStaff."""
    fields = f"temporaryPassword {STAFF}"
    given = {"login": unique("new"), "name": "赵六", **more}
    return await api.run("createStaff", "CreateStaffInput", fields, mine, **given)


async def one(api: Api, mutation: str, mine: str, account_id: UUID) -> Json:
    """The answer of a mutation on one account."""
    return await api.attempt(mutation, "StaffInput", "staff { id disabledAt }", mine, staff=sid(account_id))


async def assign(api: Api, mine: str, account_id: UUID, role: str, **scope: object) -> Json:
    """The answer of assignRole."""
    return await api.attempt(
        "assignRole", "AssignRoleInput", STAFF, mine, staff=sid(account_id), role=role, scope=scope
    )
