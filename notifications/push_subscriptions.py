"""Browsers that take Web Push (浏览器推送, RFC 8030): registered by whoever is signed in there, gone with the session."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from domains.kernel import clock, database, sealing
from domains.kernel.actor import Actor
from domains.kernel.command import command
from domains.kernel.errors import Invalid
from domains.kernel.ids import uuid7
from domains.kernel.slots import Slot
from notifications.channels.outside import is_callable, outside
from notifications.sealed import PUSH_ENDPOINT, PUSH_KEYS

vapid_public_key: Slot[str] = Slot("VAPID public key")
"""Base64url, without padding, of the 65 bytes of an uncompressed P-256 point (RFC 8292)."""

MOST_DEVICES = 10
_AUTH_BYTES = 16

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('push_subscription:' || $1, 0))"

# In other hands it is another subscription: what waits for the one before must not reach the next.
REGISTER = """
INSERT INTO push_subscription AS s (id, account_id, session_id, endpoint_sealed, endpoint_index, keys_sealed, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (endpoint_index) DO UPDATE SET
    id = CASE WHEN s.account_id = EXCLUDED.account_id THEN s.id ELSE EXCLUDED.id END,
    account_id = EXCLUDED.account_id, session_id = EXCLUDED.session_id, endpoint_sealed = EXCLUDED.endpoint_sealed,
    keys_sealed = EXCLUDED.keys_sealed, created_at = EXCLUDED.created_at
"""

LET_GO = """
DELETE FROM push_subscription WHERE id IN (
    SELECT id FROM push_subscription WHERE account_id = $1 ORDER BY created_at DESC, id DESC OFFSET $2)
"""

DROP = "DELETE FROM push_subscription WHERE account_id = $1 AND endpoint_index = $2"

END_SESSIONS = "DELETE FROM push_subscription WHERE session_id = ANY($1::uuid[])"


# Not audited: a browser registers again each time it is opened.
@command("notification.register_push", caller="account", audited=False)
async def register_push_subscription(actor: Actor, *, endpoint: str, p256dh: str, auth: str) -> None:
    """Send the caller's notices to this browser too, until the session ends. Of more than 10 browsers the
    one that registered longest ago is let go; a browser that was somebody else's is the caller's now.

    Raises Invalid ENDPOINT_INVALID for what the server would never call, PUSH_KEY_INVALID for
    keys that are none of RFC 8291.
    """
    _check_endpoint(endpoint)
    keys = {"p256dh": _point(p256dh), "auth": _secret(auth)}
    if actor.session_id is None:
        actor.refuse()
    await database.execute(LOCK, str(actor.id))
    await database.execute(
        REGISTER, uuid7(), actor.id, actor.session_id, sealing.seal(endpoint, PUSH_ENDPOINT),
        sealing.find(endpoint, PUSH_ENDPOINT), sealing.seal(orjson.dumps(keys).decode(), PUSH_KEYS), clock.now(),
    )  # fmt: skip
    await database.execute(LET_GO, actor.id, MOST_DEVICES)


@command("notification.drop_push", caller="account", audited=False)
async def drop_push_subscription(actor: Actor, *, endpoint: str) -> bool:
    """Send nothing more to this browser; whether it was one of the caller's."""
    return await database.execute(DROP, actor.id, sealing.find(endpoint, PUSH_ENDPOINT)) == 1


async def end_sessions(session_ids: Sequence[UUID]) -> int:
    """Forget the browsers of sessions that ended, in the transaction in which they do; their number."""
    return await database.execute(END_SESSIONS, list(session_ids))


def _check_endpoint(endpoint: str) -> None:
    if not is_callable(endpoint, reaches_private=outside().reaches_private):
        message = "推送地址不正确,请重新打开浏览器的消息推送"
        raise Invalid("ENDPOINT_INVALID", message, "endpoint")


def _point(written: str) -> str:
    """The browser's public key, written the one way. RFC 8291, section 3.1."""
    try:
        raw = _decoded(written)
        if raw[:1] != b"\x04":
            raise ValueError("an uncompressed point")
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        raise _bad_key("p256dh") from None
    return _encoded(raw)


def _secret(written: str) -> str:
    """The browser's authentication secret, 16 bytes. RFC 8291, section 3.2."""
    try:
        raw = _decoded(written)
    except ValueError:
        raise _bad_key("auth") from None
    if len(raw) != _AUTH_BYTES:
        raise _bad_key("auth")
    return _encoded(raw)


def _decoded(written: str) -> bytes:
    text = written.rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bad_key(field: str) -> Invalid:
    return Invalid("PUSH_KEY_INVALID", "推送密钥不正确,请重新打开浏览器的消息推送", field)
