"""Reads of staff and roles: of the caller's company, where the caller's permission reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from domains.identity import contact, permissions
from domains.kernel import database, phones
from domains.kernel.actor import Actor
from domains.kernel.text import InvalidText

# $1 is the caller, $2 the compounds where the caller may read staff. Seen are colleagues with a role that
# reaches one of those, colleagues who have no role yet, and oneself.
_VISIBLE = """
m.company_id = (SELECT company_id FROM staff_member WHERE account_id = $1)
AND (m.account_id = $1
    OR NOT EXISTS (SELECT 1 FROM role_assignment ra WHERE ra.account_id = m.account_id)
    OR EXISTS (
        SELECT 1 FROM role_assignment ra
        JOIN compound c ON c.company_id = m.company_id AND c.id = ANY($2::uuid[])
        JOIN region g ON g.id = c.region_id
        LEFT JOIN region root ON root.id = ra.region_id
        LEFT JOIN building b ON b.id = ra.building_id
        WHERE ra.account_id = m.account_id AND (ra.scope = 'company' OR c.id = ra.compound_id
            OR c.id = b.compound_id OR starts_with(g.path, root.path))))
"""

_STAFF = """
a.id, m.login, a.name, a.phone_sealed, m.valid_from, m.valid_until, m.idle_timeout_s, m.max_failures,
    m.failures, m.locked_until, m.must_change_password, m.totp_confirmed_at IS NOT NULL AS has_totp,
    a.disabled_at, a.created_at, m.is_operator
FROM staff_member m JOIN account a ON a.id = m.account_id
"""

_NARROWED = """
AND ($3::text IS NULL OR m.login LIKE $3 OR a.name LIKE $3 OR a.phone_index = $4)
AND ($5::boolean IS NULL OR (a.disabled_at IS NOT NULL) = $5)
AND ($6::uuid IS NULL
    OR EXISTS (SELECT 1 FROM role_assignment x WHERE x.account_id = a.id AND x.role_id = $6))
"""

STAFF = f"""
SELECT {_STAFF} WHERE {_VISIBLE} {_NARROWED}
AND ($7::text IS NULL OR (m.login, a.id) > ($7, $8::uuid))
ORDER BY m.login, a.id LIMIT $9
"""

COUNT_STAFF = f"""
SELECT count(*) FROM staff_member m JOIN account a ON a.id = m.account_id WHERE {_VISIBLE} {_NARROWED}
"""  # noqa: S608  # put together from constants

STAFF_BY_ID = f"SELECT {_STAFF} WHERE {_VISIBLE} AND a.id = ANY($3::uuid[])"

ASSIGNMENTS = """
SELECT ra.id, ra.account_id, ra.role_id, r.name AS role_name, ra.scope, ra.region_id, ra.compound_id,
    ra.building_id,
    coalesce(g.name, c.name, bc.name || ' ' || b.name, co.name) AS place_name, ra.assigned_at
FROM role_assignment ra
JOIN role r ON r.id = ra.role_id JOIN company co ON co.id = r.company_id
LEFT JOIN region g ON g.id = ra.region_id
LEFT JOIN compound c ON c.id = ra.compound_id
LEFT JOIN building b ON b.id = ra.building_id LEFT JOIN compound bc ON bc.id = b.compound_id
WHERE ra.account_id = ANY($1::uuid[])
ORDER BY r.name, ra.assigned_at, ra.id
"""

ROLES = """
SELECT r.id, r.name, r.permissions, r.updated_at,
    (SELECT count(DISTINCT ra.account_id) FROM role_assignment ra WHERE ra.role_id = r.id) AS holders
FROM role r
WHERE r.company_id = (SELECT company_id FROM staff_member WHERE account_id = $1)
    AND ($2::uuid[] IS NULL OR r.id = ANY($2::uuid[]))
ORDER BY r.name, r.id
"""


@dataclass(frozen=True, slots=True)
class Staff:
    """A staff account as colleagues read it; the phone is masked."""

    id: UUID
    login: str
    name: str
    phone: str | None
    valid_from: date
    valid_until: date | None
    idle_timeout_s: int
    max_failures: int
    failures: int
    locked_until: datetime | None
    must_change_password: bool
    has_totp: bool
    disabled_at: datetime | None
    created_at: datetime
    is_operator: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role over a place, as it is read."""

    id: UUID
    account_id: UUID
    role_id: UUID
    role_name: str
    scope: str
    region_id: UUID | None
    compound_id: UUID | None
    building_id: UUID | None
    place_name: str
    assigned_at: datetime


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it is read."""

    id: UUID
    name: str
    permissions: list[str]
    updated_at: datetime
    holders: int


@dataclass(frozen=True, slots=True)
class StaffFilter:
    """What a list of staff is narrowed to; `search` is a part of the login or name, or a whole number."""

    search: str | None = None
    is_disabled: bool | None = None
    role_id: UUID | None = None


def _reader(actor: Actor) -> tuple[object, ...]:
    """The caller and where the caller may read staff; refused where that is nowhere."""
    reached = actor.compounds(permissions.STAFF_READ)
    if not reached:
        actor.refuse()
    return actor.id, list(reached)


def _searched(written: str | None) -> tuple[str | None, bytes | None]:
    if written is None or not written.strip():
        return None, None
    try:
        index = contact.index(phones.normalise(written))
    except InvalidText:
        index = None
    escaped = written.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%", index


def _args(actor: Actor, narrowed: StaffFilter) -> tuple[object, ...]:
    return *_reader(actor), *_searched(narrowed.search), narrowed.is_disabled, narrowed.role_id


def _staff(row: asyncpg.Record) -> Staff:
    fields = dict(row)
    return Staff(phone=contact.masked(fields.pop("phone_sealed")), **fields)


async def staff(
    actor: Actor, narrowed: StaffFilter, *, after: tuple[object, ...] | None, limit: int
) -> list[Staff]:
    """A page of colleagues by login."""
    rows = await database.fetch(STAFF, *_args(actor, narrowed), *(after or (None, None)), limit)
    return [_staff(row) for row in rows]


async def count_staff(actor: Actor, narrowed: StaffFilter) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT_STAFF, *_args(actor, narrowed)))


async def staff_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Staff]:
    """Those of the colleagues whom the caller may see."""
    if not actor.compounds(permissions.STAFF_READ):
        return {}
    rows = await database.fetch(STAFF_BY_ID, *_reader(actor), list(ids))
    return {row["id"]: _staff(row) for row in rows}


async def assignments(account_ids: Sequence[UUID]) -> Mapping[UUID, list[Assignment]]:
    """The roles of staff whom the caller has been shown."""
    found: defaultdict[UUID, list[Assignment]] = defaultdict(list)
    for row in await database.fetch(ASSIGNMENTS, list(account_ids)):
        found[row["account_id"]].append(Assignment(**row))
    return found


async def roles(actor: Actor, ids: Sequence[UUID] | None = None) -> list[Role]:
    """The roles of the caller's company by name."""
    if not actor.compounds(permissions.STAFF_READ):
        actor.refuse()
    rows = await database.fetch(ROLES, actor.id, None if ids is None else list(ids))
    return [Role(**row) for row in rows]


async def roles_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Role]:
    """Those of the roles that the caller may see."""
    if not actor.compounds(permissions.STAFF_READ):
        return {}
    return {row.id: row for row in await roles(actor, ids)}
