"""Reading the audit (审计日志查询), which is itself audited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from domains.identity import permissions
from domains.identity.authority import authority_of
from domains.identity.rules import is_covered
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.kernel.errors import Invalid

_NARROWED = """
AND ($2::uuid IS NULL OR e.actor_id = $2) AND ($3::text IS NULL OR e.action = $3)
AND ($4::uuid IS NULL OR e.subject_id = $4)
AND ($5::timestamptz IS NULL OR e.at >= $5) AND ($6::timestamptz IS NULL OR e.at < $6)
AND ($7::timestamptz IS NULL OR (e.at, e.id) < ($7, $8::uuid))
ORDER BY e.at DESC, e.id DESC LIMIT $9
"""

_ENTRIES = """
SELECT e.id, e.at, e.actor_id, e.actor_kind, e.actor_name, e.action, e.outcome, e.subject_type, e.subject_id,
    e.details::text AS details, e.ip, e.user_agent, e.request_id
FROM audit_entry e WHERE
"""

OF_COMPOUND = f"{_ENTRIES} e.compound_id = $1 {_NARROWED}"

# Rows of no compound, which staff of the company left.
OF_COMPANY = f"""{_ENTRIES} e.compound_id IS NULL AND e.actor_kind = 'staff'
AND e.actor_id IN (SELECT account_id FROM staff_member WHERE company_id = $1) {_NARROWED}
"""  # noqa: S608  # put together from constants


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit."""

    id: UUID
    at: datetime
    actor_id: UUID | None
    actor_kind: str
    actor_name: str
    action: str
    outcome: str
    subject_type: str
    subject_id: UUID | None
    details: Mapping[str, object]
    ip: str
    user_agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the audit is narrowed to; `since` is included, `until` is not."""

    actor_id: UUID | None = None
    action: str | None = None
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@sensitive_read("audit.read", caller="staff", permission=permissions.AUDIT_READ)
async def audit_log(
    actor: Actor,
    *,
    compound_id: UUID | None,
    narrowed: AuditFilter,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Entry]:
    """A page of a compound's audit, the newest first; without a compound what staff did that concerns
    none (sign-in, accounts, roles), for who may read the audit of the whole company.

    Raises Forbidden FORBIDDEN, Invalid PERIOD_REVERSED.
    """
    concerns("AuditLog", None, compound_id)
    company_id = await _reader_of(actor, compound_id)
    if narrowed.since and narrowed.until and narrowed.until <= narrowed.since:
        raise Invalid("PERIOD_REVERSED", "结束时间须晚于开始时间", "until")
    statement = OF_COMPANY if compound_id is None else OF_COMPOUND
    rows = await database.fetch(
        statement, compound_id or company_id, narrowed.actor_id, narrowed.action, narrowed.subject_id,
        narrowed.since, narrowed.until, *(after or (None, None)), limit,
    )  # fmt: skip
    return [Entry(**{**row, "details": orjson.loads(row["details"])}) for row in rows]


async def _reader_of(actor: Actor, compound_id: UUID | None) -> UUID:
    """A row tells of a whole compound or company: authority over a part of it does not open it."""
    authority = await authority_of(actor)
    if compound_id is not None:
        actor.require(permissions.AUDIT_READ, compound_id)
        if actor.buildings(permissions.AUDIT_READ, compound_id) is not None:
            actor.refuse()
    elif not is_covered(
        authority.holdings, permissions.AUDIT_READ, frozenset({("company", authority.company_id)})
    ):
        actor.refuse()
    return authority.company_id
