"""Reads of one's own account and devices (我的账号、登录设备)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domains.identity import contact
from domains.kernel import clock, database
from domains.kernel.actor import Actor

ME = """
SELECT a.id, a.kind, a.name, a.phone_sealed, a.language, a.created_at, m.login,
    coalesce(m.must_change_password, false) AS must_change_password,
    m.totp_confirmed_at IS NOT NULL AS has_totp
FROM account a LEFT JOIN staff_member m ON m.account_id = a.id WHERE a.id = $1
"""

SESSIONS = """
SELECT id, method, device, ip, created_at, last_seen_at, expires_at FROM session
WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2
    AND (idle_timeout_s IS NULL OR last_seen_at + make_interval(secs => idle_timeout_s) > $2)
ORDER BY last_seen_at DESC, id DESC LIMIT 100
"""

NAMES = "SELECT id, name FROM account WHERE id = ANY($1::uuid[])"


@dataclass(frozen=True, slots=True)
class Me:
    """The caller's own account; the phone is masked."""

    id: UUID
    kind: str
    name: str
    phone: str | None
    language: str
    created_at: datetime
    login: str | None
    must_change_password: bool
    has_totp: bool
    permissions: Sequence[str]

    @property
    def has_phone(self) -> bool:
        """Whether a number was proved."""
        return self.phone is not None


@dataclass(frozen=True, slots=True)
class Device:
    """A session that counts, as its owner sees it."""

    id: UUID
    method: str
    device: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_current: bool


async def me(actor: Actor) -> Me:
    """The caller's own account."""
    row = await database.fetchrow(ME, actor.id)
    assert row is not None, "whoever has a session has an account"
    fields = dict(row)
    phone = contact.masked(fields.pop("phone_sealed"))
    return Me(**fields, phone=phone, permissions=sorted({grant.permission for grant in actor.grants}))


async def devices(actor: Actor) -> list[Device]:
    """Where the caller is signed in, the last used first; at most 100."""
    rows = await database.fetch(SESSIONS, actor.id, clock.now())
    return [Device(**row, is_current=row["id"] == actor.session_id) for row in rows]


async def names(account_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """What accounts are called, for colleagues who may read rows that point at them."""
    return {row["id"]: row["name"] for row in await database.fetch(NAMES, account_ids)}


async def masked_names(account_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """What accounts are called, for who may read rows that point at them: 李**."""
    rows = await database.fetch(NAMES, account_ids)
    return {row["id"]: f"{row['name'][:1]}**" if row["name"] else "" for row in rows}
