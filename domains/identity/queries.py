"""Reads of identity."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domains.identity import rules
from domains.identity.tokens import Claims
from domains.kernel import clock, database
from domains.kernel.actor import Grant
from domains.kernel.errors import Unauthenticated

LIVE = """
SELECT s.id, s.account_id, s.expires_at, s.ended_at, s.last_seen_at, s.idle_timeout_s,
    a.kind, a.name, a.language, a.disabled_at, m.valid_from, m.valid_until, m.must_change_password
FROM session s JOIN account a ON a.id = s.account_id LEFT JOIN staff_member m ON m.account_id = a.id
WHERE s.id = $1 AND s.account_id = $2
"""

# A scope reaches compounds of the staff member's own company only, whatever it names.
GRANTS = """
SELECT DISTINCT p.permission, c.id AS compound_id, b.id AS building_id
FROM role_assignment ra
JOIN role r ON r.id = ra.role_id
JOIN staff_member m ON m.account_id = ra.account_id
CROSS JOIN LATERAL unnest(r.permissions) AS p(permission)
LEFT JOIN building b ON ra.scope = 'building' AND b.id = ra.building_id
LEFT JOIN region root ON ra.scope = 'region' AND root.id = ra.region_id
JOIN compound c ON c.company_id = m.company_id
LEFT JOIN region g ON g.id = c.region_id
WHERE ra.account_id = $1 AND (
    ra.scope = 'company'
    OR (ra.scope = 'compound' AND c.id = ra.compound_id)
    OR (ra.scope = 'building' AND c.id = b.compound_id)
    OR (ra.scope = 'region' AND starts_with(g.path, root.path)))
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


async def live_session(claims: Claims) -> LiveSession:
    """The session behind a token, read anew: ended, idle, disabled or out of validity means 401."""
    row = await database.fetchrow(LIVE, claims.session_id, claims.account_id)
    now = clock.now()
    if row is None or row["disabled_at"] is not None or not rules.session_is_live(
        now, expires_at=row["expires_at"], ended_at=row["ended_at"],
        last_seen_at=row["last_seen_at"], idle_timeout_s=row["idle_timeout_s"],
    ):  # fmt: skip
        raise Unauthenticated("SESSION_ENDED", "登录已失效,请重新登录")
    if row["valid_from"] is not None and not rules.account_is_valid(
        clock.today(), valid_from=row["valid_from"], valid_until=row["valid_until"]
    ):
        raise Unauthenticated("ACCOUNT_NOT_VALID", "账号不在有效期内,请联系管理员")
    return LiveSession(
        row["id"], row["account_id"], row["kind"], row["name"], row["language"], row["last_seen_at"],
        bool(row["must_change_password"]),
    )  # fmt: skip


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
