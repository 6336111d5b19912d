"""Sessions (会话): start, refresh with rotation and reuse detection, list, revoke."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from domains.identity import rules
from domains.identity.models import Account, RefreshToken, Session, StaffMember
from domains.identity.tokens import LIFETIME, Claims, new_refresh_token, refresh_hash, signer
from domains.kernel import audit, clock, database
from domains.kernel.actor import Actor, Origin
from domains.kernel.command import command, concerns
from domains.kernel.errors import NotFound, Unauthenticated
from domains.kernel.ids import uuid7
from notifications import push_subscriptions


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a client gets when it signs in or refreshes."""

    account_id: UUID
    session_id: UUID
    access_token: str
    access_expires_at: datetime
    refresh_token: str


async def start_session(
    account: Account, method: str, device: str, origin: Origin, *, idle_timeout_s: int | None = None
) -> SignedIn:
    """Open a session for an account whose credential was just checked."""
    now = clock.now()
    lifetime = rules.STAFF_SESSION if account.kind == "staff" else rules.RESIDENT_SESSION
    session = await Session.create(
        account_id=account.id, method=method, device=device[:200], ip=origin.ip, created_at=now,
        last_seen_at=now, expires_at=now + lifetime, idle_timeout_s=idle_timeout_s,
    )  # fmt: skip
    return await _issue(session.account_id, session.id)  # type: ignore[attr-defined]  # the ORM adds <relation>_id


async def _issue(account_id: UUID, session_id: UUID, previous_id: UUID | None = None) -> SignedIn:
    refresh, digest = new_refresh_token()
    now = clock.now()
    await RefreshToken.create(
        id=uuid7(), session_id=session_id, token_hash=digest, previous_id=previous_id, issued_at=now
    )
    access = signer().sign(Claims(account_id, session_id))
    return SignedIn(account_id, session_id, access, now + LIFETIME, refresh)


# Whoever presents a token of a session takes turns at the session's row.
SESSION_OF = """
SELECT s.id, s.account_id, s.expires_at, s.ended_at, s.last_seen_at, s.idle_timeout_s FROM session s
WHERE s.id = (SELECT session_id FROM refresh_token WHERE token_hash = $1) FOR UPDATE
"""

LINK = """
SELECT t.id, t.used_at, n.id AS successor_id FROM refresh_token t
LEFT JOIN refresh_token n ON n.session_id = t.session_id AND n.previous_id = t.id AND n.used_at IS NULL
WHERE t.token_hash = $1
"""


async def refresh_session(actor: Actor, refresh_token: str) -> SignedIn:
    """Spend a refresh token for a new pair. Raises Unauthenticated REFRESH_INVALID.

    A token that comes a second time is in two hands: the session ends for both (RFC 9700, section
    4.14.2). A client that lost the answer may ask again within two minutes, while nobody has used
    what it lost: that is replaced, so that of two askers one goes on.
    """
    digest = refresh_hash(refresh_token)
    async with database.transaction():
        session = await database.fetchrow(SESSION_OF, digest)
        if session is not None and await _continues(session):
            if signed_in := await _rotated(session, digest):
                return signed_in
            await _end_reused(actor, session)
    raise Unauthenticated("REFRESH_INVALID", "登录已失效,请重新登录")


async def _rotated(session: asyncpg.Record, digest: bytes) -> SignedIn | None:
    link = await database.fetchrow(LINK, digest)
    assert link is not None, "its session was found by it"
    now, successor = clock.now(), link["successor_id"]
    verdict = rules.refresh_verdict(now, used_at=link["used_at"], successor_is_unused=successor is not None)
    if verdict == "reuse":
        return None
    spent = link["id"] if verdict == "rotate" else successor
    await RefreshToken.filter(pk=spent).update(used_at=now)
    await Session.filter(pk=session["id"]).update(last_seen_at=now)
    return await _issue(session["account_id"], session["id"], previous_id=link["id"])


async def _end_reused(actor: Actor, session: asyncpg.Record) -> None:
    await end_sessions(session["account_id"], "reuse", only=session["id"])
    details = {"account_id": session["account_id"]}
    await audit.record(actor, "session.refresh", "Session", session["id"], details=details, outcome="refused")


async def _continues(session: asyncpg.Record) -> bool:
    return rules.session_is_live(
        clock.now(), expires_at=session["expires_at"], ended_at=session["ended_at"],
        last_seen_at=session["last_seen_at"], idle_timeout_s=session["idle_timeout_s"],
    ) and await _may_continue(session["account_id"])  # fmt: skip


async def _may_continue(account_id: UUID) -> bool:
    account = await Account.get(pk=account_id)
    if account.disabled_at is not None:
        return False
    staff = await StaffMember.get_or_none(account_id=account_id)
    return staff is None or rules.account_is_valid(
        clock.today(), valid_from=staff.valid_from, valid_until=staff.valid_until
    )


@command("session.sign_out", caller="account", audited=False, while_confined=True)
async def sign_out(actor: Actor) -> None:
    """End the session of this call."""
    if actor.session_id is not None:
        await end_sessions(actor.id, "signed_out", only=actor.session_id)


@command("session.revoke", caller="account")
async def revoke_session(actor: Actor, *, session_id: UUID) -> UUID:
    """End one of one's own sessions, as on a phone that was lost."""
    if not await end_sessions(actor.id, "revoked", only=session_id):
        raise NotFound("SESSION_NOT_FOUND", "没有找到这台设备,它可能已经退出登录")
    concerns("Session", session_id, None)
    return session_id


@command("session.revoke_others", caller="account")
async def revoke_other_sessions(actor: Actor) -> int:
    """End all of one's own sessions but the one of this call (退出其他设备); how many there were."""
    ended = await end_sessions(actor.id, "revoked", but=actor.session_id)
    concerns("Account", actor.id, None, sessions=ended)
    return ended


END = """
UPDATE session SET ended_at = $2, end_reason = $3
WHERE account_id = $1 AND ended_at IS NULL AND ($4::uuid IS NULL OR id = $4) AND ($5::uuid IS NULL OR id <> $5)
RETURNING id
"""


async def end_sessions(
    account_id: UUID, reason: str, *, only: UUID | None = None, but: UUID | None = None
) -> int:
    """End an account's sessions, as when it is disabled or its password changes, and with them what their
    browsers are pushed; how many there were."""
    ended = [row["id"] for row in await database.fetch(END, account_id, clock.now(), reason, only, but)]
    if ended:
        await push_subscriptions.end_sessions(ended)
    return len(ended)


async def seen(session_id: UUID, last_seen_at: datetime) -> None:
    """Note that the session is used; at most once a minute, for it is a write on every request."""
    now = clock.now()
    if now - last_seen_at >= rules.SEEN_EVERY:
        stale = Session.filter(pk=session_id, last_seen_at__lte=now - rules.SEEN_EVERY)
        await stale.update(last_seen_at=now)
