"""Who may give what (授权边界): nobody gives, takes or reaches into what they do not hold themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import asyncpg

from domains.identity import permissions, rules, sql
from domains.identity.models import StaffMember
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, Forbidden, NotFound

ScopeKind = Literal["company", "region", "compound", "building"]
ADMINISTERS = [permissions.STAFF_WRITE, permissions.ROLES_WRITE]


@dataclass(frozen=True, slots=True)
class Place:
    """A place that authority is given over, with all that contain it (数据范围)."""

    scope: ScopeKind
    id: UUID
    compound_id: UUID | None
    ancestry: frozenset[rules.ScopeKey]


def _place(scope: ScopeKind, row: asyncpg.Record) -> Place:
    regions = [UUID(part) for part in row["path"].split("/") if part]
    keys: list[rules.ScopeKey] = [("company", row["company_id"]), *(("region", region) for region in regions)]
    if row["compound_id"] is not None:
        keys.append(("compound", row["compound_id"]))
    if row["building_id"] is not None:
        keys.append(("building", row["building_id"]))
    return Place(scope, keys[-1][1], row["compound_id"], frozenset(keys))


async def place(company_id: UUID, scope: ScopeKind, id: UUID | None) -> Place:
    """The place, where it is of this company. Raises NotFound SCOPE_NOT_FOUND."""
    row = await _find(company_id, scope, id)
    if row is None or row["company_id"] != company_id:
        raise NotFound("SCOPE_NOT_FOUND", "没有找到授权范围,请重新选择", "scope")
    return _place(scope, row)


async def _find(company_id: UUID, scope: ScopeKind, id: UUID | None) -> asyncpg.Record | None:
    match scope:
        case "company":
            return await database.fetchrow(sql.PLACE_COMPANY, company_id)
        case "region":
            return await database.fetchrow(sql.PLACE_REGION, id, company_id)
        case "compound":
            return await database.fetchrow(sql.PLACE_COMPOUND, id)
        case "building":
            return await database.fetchrow(sql.PLACE_BUILDING, id)


@dataclass(frozen=True, slots=True)
class Assigned:
    """A role assignment: its permissions, over its place."""

    id: UUID
    permissions: tuple[str, ...]
    place: Place


async def assigned(
    *, account_id: UUID | None = None, role_id: UUID | None = None, assignment_id: UUID | None = None
) -> list[Assigned]:
    """The assignments of an account, of a role, or the one."""
    rows = await database.fetch(sql.ASSIGNED, account_id, role_id, assignment_id)
    return [Assigned(row["id"], tuple(row["permissions"]), _place(row["scope"], row)) for row in rows]


@dataclass(frozen=True, slots=True)
class Authority:
    """What a caller holds, and in which company."""

    company_id: UUID
    holdings: frozenset[rules.Holding]
    operator: bool = False

    def must_cover(self, wanted: Iterable[str], place: Place) -> None:
        """Forbidden BEYOND_OWN_AUTHORITY where one of the permissions is not the caller's over that place."""
        if not all(rules.is_covered(self.holdings, permission, place.ancestry) for permission in wanted):
            raise beyond()

    def must_cover_all(self, assignments: Iterable[Assigned], more: Iterable[str] = ()) -> None:
        """The same for what others hold, and for what is to be added to it."""
        for each in assignments:
            self.must_cover({*each.permissions, *more}, each.place)

    def must_hold(self, wanted: Iterable[str]) -> None:
        """The same for permissions that are not given over any place yet."""
        if not set(wanted) <= {permission for permission, _ in self.holdings}:
            raise beyond()


def beyond() -> Forbidden:
    """What somebody is told who reaches too far."""
    return Forbidden("BEYOND_OWN_AUTHORITY", "这超出了您自己的权限或管理范围,请联系上级管理员")


async def company_of(actor: Actor) -> UUID:
    """The company a staff member works for; anybody else is refused."""
    row = await StaffMember.get_or_none(account_id=actor.id)
    if row is None:
        actor.refuse()
        raise beyond()
    return row.company_id  # type: ignore[attr-defined,no-any-return]  # the ORM adds <relation>_id


async def authority_of(actor: Actor) -> Authority:
    """What the caller holds at this moment."""
    rows = await database.fetch(sql.HOLDINGS, actor.id)
    held = frozenset((row["permission"], (row["scope"], row["place_id"])) for row in rows)
    return Authority(await company_of(actor), held, actor.operator)


async def staff_member(authority: Authority, account_id: UUID) -> StaffMember:
    """A staff member of the caller's company. NotFound STAFF_NOT_FOUND, also for one of another company."""
    found = StaffMember.get_or_none(account_id=account_id, company_id=authority.company_id)
    staff = await found.select_related("account")
    if staff is None:
        raise NotFound("STAFF_NOT_FOUND", "没有找到这位员工,请刷新后重试", "staff")
    return staff


async def colleague(authority: Authority, account_id: UUID, permission: str) -> StaffMember:
    """A staff member who holds nothing that the caller does not, and only where the caller has `permission`:
    else the password of a superior, or of who runs the installation, could be reset. Forbidden
    BEYOND_OWN_AUTHORITY."""
    staff = await staff_member(authority, account_id)
    if staff.is_operator and not authority.operator:
        raise beyond()
    authority.must_cover_all(await assigned(account_id=account_id), more=[permission])
    return staff


@asynccontextmanager
async def keeping_an_administrator(company_id: UUID) -> AsyncIterator[None]:
    """Refuse a change after which nobody could administer the company any more.

    Changes to who may do what take turns per company: two administrators who disable each other at
    once do not both succeed. Raises Conflict LAST_ADMINISTRATOR.
    """
    await database.execute(sql.LOCK_COMPANY, company_id)
    before = await _administrators(company_id)
    yield
    if before and not await _administrators(company_id):
        raise Conflict("LAST_ADMINISTRATOR", "这样公司就没有管理员了,请先授权另一位管理员")


async def _administrators(company_id: UUID) -> int:
    return int(await database.fetchval(sql.ADMINISTRATORS, company_id, clock.today(), ADMINISTERS))
