"""Reads of identity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from domains.identity import rules
from domains.identity.tokens import Claims
from domains.kernel import clock, database
from domains.kernel.actor import Grant
from domains.kernel.errors import Unauthenticated

_SESSION = """
SELECT s.id, s.account_id, s.expires_at, s.ended_at, s.last_seen_at, s.idle_timeout_s,
    a.kind, a.name, a.language, a.disabled_at, m.valid_from, m.valid_until, m.must_change_password, m.is_operator
FROM session s JOIN account a ON a.id = s.account_id LEFT JOIN staff_member m ON m.account_id = a.id
"""

LIVE = _SESSION + "WHERE s.id = $1 AND s.account_id = $2"
LIVE_AMONG = _SESSION + "WHERE s.id = ANY($1)"

# A scope reaches compounds of the staff member's own company only, whatever it names.
_HELD = """
FROM role_assignment ra
JOIN role r ON r.id = ra.role_id
JOIN staff_member m ON m.account_id = ra.account_id
CROSS JOIN LATERAL unnest(r.permissions) AS p(permission)
LEFT JOIN building b ON ra.scope = 'building' AND b.id = ra.building_id
LEFT JOIN region root ON ra.scope = 'region' AND root.id = ra.region_id
JOIN compound c ON c.company_id = m.company_id
LEFT JOIN region g ON g.id = c.region_id
WHERE (ra.scope = 'company'
    OR (ra.scope = 'compound' AND c.id = ra.compound_id)
    OR (ra.scope = 'building' AND c.id = b.compound_id)
    OR (ra.scope = 'region' AND starts_with(g.path, root.path)))
"""

_COUNTS = """m.valid_from <= $1 AND (m.valid_until IS NULL OR m.valid_until >= $1)
    AND EXISTS (SELECT FROM account a WHERE a.id = m.account_id AND a.disabled_at IS NULL)"""

GRANTS = f"""
SELECT DISTINCT p.permission, c.id AS compound_id, b.id AS building_id {_HELD} AND ra.account_id = $1
"""

HOLDERS = f"""
SELECT DISTINCT m.account_id {_HELD} AND {_COUNTS} AND NOT m.must_change_password
    AND p.permission = $2 AND c.id = $3 AND (b.id IS NULL OR $4::uuid IS NULL OR b.id = $4)
ORDER BY m.account_id
"""

OPERATORS = f"""
SELECT m.account_id FROM staff_member m WHERE m.is_operator AND {_COUNTS} ORDER BY m.account_id
"""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that counts, and whose it is."""

    id: UUID
    account_id: UUID
    kind: str
    name: str
    language: str
    last_seen_at: datetime
    must_change_password: bool
    is_operator: bool


async def live_session(claims: Claims) -> LiveSession:
    """The session behind a token, read anew: ended, idle, disabled or out of validity means 401."""
    row = await database.fetchrow(LIVE, claims.session_id, claims.account_id)
    if row is None:
        raise _ended()
    _require_live(row, clock.now(), clock.today())
    return LiveSession(
        row["id"], row["account_id"], row["kind"], row["name"], row["language"], row["last_seen_at"],
        bool(row["must_change_password"]), bool(row["is_operator"]),
    )  # fmt: skip


async def live_among(asked: Collection[Claims]) -> set[Claims]:
    """Those of many sessions that count, by the same rules, in one statement."""
    now, today, live = clock.now(), clock.today(), set[Claims]()
    for row in await database.fetch(LIVE_AMONG, [each.session_id for each in asked]):
        with suppress(Unauthenticated):
            _require_live(row, now, today)
            live.add(Claims(row["account_id"], row["id"]))
    return live.intersection(asked)


def _require_live(row: asyncpg.Record, now: datetime, today: date) -> None:
    if row["disabled_at"] is not None or not rules.session_is_live(
        now, expires_at=row["expires_at"], ended_at=row["ended_at"],
        last_seen_at=row["last_seen_at"], idle_timeout_s=row["idle_timeout_s"],
    ):  # fmt: skip
        raise _ended()
    if row["valid_from"] is not None and not rules.account_is_valid(
        today, valid_from=row["valid_from"], valid_until=row["valid_until"]
    ):
        raise Unauthenticated("ACCOUNT_NOT_VALID", "账号不在有效期内,请联系管理员")


def _ended() -> Unauthenticated:
    return Unauthenticated("SESSION_ENDED", "登录已失效,请重新登录")


async def grants(account_id: UUID) -> tuple[Grant, ...]:
    """What a staff member may do, per compound, resolved from roles and scopes."""
    whole: set[tuple[str, UUID]] = set()
    parts: defaultdict[tuple[str, UUID], set[UUID]] = defaultdict(set)
    for row in await database.fetch(GRANTS, account_id):
        key = (row["permission"], row["compound_id"])
        if row["building_id"] is None:
            whole.add(key)
        else:
            parts[key].add(row["building_id"])
    narrow = [Grant(*key, frozenset(buildings)) for key, buildings in parts.items() if key not in whole]
    return tuple([Grant(*key) for key in whole] + narrow)


async def holders(permission: str, compound_id: UUID, building_id: UUID | None = None) -> list[UUID]:
    """The staff who may now do what the permission says in that compound and building, or in some building
    of it: for whom `Actor.may` would say so if they asked."""
    rows = await database.fetch(HOLDERS, clock.today(), permission, compound_id, building_id)
    return [row["account_id"] for row in rows]


async def operators() -> list[UUID]:
    """The accounts that run the installation (系统运维) and count now: what is wrong with it is told to them."""
    return [row["account_id"] for row in await database.fetch(OPERATORS, clock.today())]
