"""Roles (角色) and who has them where (授权)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from domains.identity import permissions as may
from domains.identity.authority import (
    Authority,
    Place,
    ScopeKind,
    assigned,
    authority_of,
    keeping_an_administrator,
    place,
    staff_member,
)
from domains.identity.models import Role, RoleAssignment
from domains.kernel import clock, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class RoleOver:
    """A role to be given over a place; the company needs no id."""

    role_id: UUID
    scope: ScopeKind
    place_id: UUID | None = None


def checked_permissions(names: Iterable[str]) -> list[str]:
    """The permissions in a fixed order. Invalid PERMISSION_UNKNOWN."""
    wanted = set(names)
    if not wanted <= set(may.catalogue()):
        raise Invalid("PERMISSION_UNKNOWN", "有不认识的权限,请刷新后重新选择", "permissions")
    return [name for name in may.catalogue() if name in wanted]


def _checked_name(name: str) -> str:
    return text.clean(name, max_length=40, field="name")


async def _role(authority: Authority, role_id: UUID) -> Role:
    """A role of the caller's company; rivals that change or give it wait."""
    role = await Role.filter(pk=role_id, company_id=authority.company_id).select_for_update().first()
    if role is None:
        raise NotFound("ROLE_NOT_FOUND", "没有找到这个角色,请刷新后重试", "role")
    return role


async def _keep(role: Role) -> None:
    try:
        await role.save()
    except IntegrityError:
        raise Conflict("ROLE_NAME_TAKEN", "已有同名角色,请换一个名称", "name") from None


@command("role.create", caller="staff", permission=may.ROLES_WRITE)
async def create_role(actor: Actor, *, name: str, permissions: Sequence[str]) -> UUID:
    """Create a role of one's company out of permissions that one holds somewhere."""
    authority = await authority_of(actor)
    wanted = checked_permissions(permissions)
    authority.must_hold(wanted)
    role = Role(company_id=authority.company_id, name=_checked_name(name), permissions=wanted)
    await _keep(role)
    concerns("Role", role.id, None, permissions=wanted)
    return role.id


@command("role.update", caller="staff", permission=may.ROLES_WRITE)
async def update_role(
    actor: Actor, *, role_id: UUID, name: str | None = None, permissions: Sequence[str] | None = None
) -> UUID:
    """Rename a role or change its permissions, for everybody who has it: what it holds before and after
    must be the caller's own wherever it is given."""
    authority = await authority_of(actor)
    concerns("Role", role_id, None)
    async with keeping_an_administrator(authority.company_id):
        role = await _role(authority, role_id)
        wanted = role.permissions if permissions is None else checked_permissions(permissions)
        authority.must_hold({*role.permissions, *wanted})
        authority.must_cover_all(await assigned(role_id=role_id), more=[*wanted, may.ROLES_WRITE])
        concerns("Role", role_id, None, before=role.permissions, after=wanted)
        role.name = role.name if name is None else _checked_name(name)
        role.permissions = wanted
        await _keep(role)
    return role_id


@command("role.delete", caller="staff", permission=may.ROLES_WRITE)
async def delete_role(actor: Actor, *, role_id: UUID) -> UUID:
    """Delete a role that nobody has. Conflict ROLE_IN_USE."""
    authority = await authority_of(actor)
    concerns("Role", role_id, None)
    role = await _role(authority, role_id)
    authority.must_hold(role.permissions)
    if await RoleAssignment.exists(role_id=role_id):
        raise Conflict("ROLE_IN_USE", "还有员工使用这个角色,请先取消授权", "role")
    await role.delete()
    return role_id


async def give(authority: Authority, account_id: UUID, given: RoleOver) -> tuple[UUID, Place]:
    """Give a role over a place where the giver holds all of it. Conflict ROLE_ALREADY_ASSIGNED."""
    role = await _role(authority, given.role_id)
    over = await place(authority.company_id, given.scope, given.place_id)
    authority.must_cover({*role.permissions, may.ROLES_WRITE}, over)
    return await insert_assignment(account_id, role.id, over), over


async def insert_assignment(account_id: UUID, role_id: UUID, over: Place) -> UUID:
    """The row of a role over a place. Conflict ROLE_ALREADY_ASSIGNED."""
    column: dict[str, Any] = {} if over.scope == "company" else {f"{over.scope}_id": over.id}  # Any: columns
    try:
        row = await RoleAssignment.create(
            account_id=account_id, role_id=role_id, scope=over.scope, assigned_at=clock.now(), **column
        )
    except IntegrityError:
        raise Conflict("ROLE_ALREADY_ASSIGNED", "该员工在此范围已有这个角色", "role") from None
    return row.id


@command("role.assign", caller="staff", permission=may.ROLES_WRITE)
async def assign_role(actor: Actor, *, account_id: UUID, given: RoleOver) -> UUID:
    """Give a colleague a role over a place (授权).

    Raises Forbidden BEYOND_OWN_AUTHORITY, NotFound STAFF_NOT_FOUND, ROLE_NOT_FOUND or SCOPE_NOT_FOUND.
    """
    authority = await authority_of(actor)
    concerns("Staff", account_id, None, role=given.role_id, scope=given.scope, place=given.place_id)
    await staff_member(authority, account_id)
    assignment_id, over = await give(authority, account_id, given)
    concerns("Staff", account_id, over.compound_id)
    return assignment_id


@command("role.unassign", caller="staff", permission=may.ROLES_WRITE)
async def unassign_role(actor: Actor, *, assignment_id: UUID) -> UUID:
    """Take a role from a colleague (取消授权); the account it was taken from.

    Raises NotFound ASSIGNMENT_NOT_FOUND, Conflict LAST_ADMINISTRATOR, Forbidden BEYOND_OWN_AUTHORITY.
    """
    authority = await authority_of(actor)
    concerns("RoleAssignment", assignment_id, None)
    async with keeping_an_administrator(authority.company_id):
        found = RoleAssignment.get_or_none(pk=assignment_id, role__company_id=authority.company_id)
        assignment = await found.select_related("account", "role")
        if assignment is None:
            raise NotFound("ASSIGNMENT_NOT_FOUND", "这项授权已不存在,请刷新后重试", "assignment")
        held = await assigned(assignment_id=assignment_id)
        authority.must_cover_all(held, more=[may.ROLES_WRITE])
        compound_id = next((each.place.compound_id for each in held), None)
        account = assignment.account
        concerns("Staff", account.id, compound_id, role=assignment.role.id, scope=assignment.scope)
        await assignment.delete()
    return account.id
