"""Push messages (RFC 8030) in the books: who subscribed, what arrives, and what waits for a browser."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from miniprogram_stub.platform.aes128gcm import POINT, UndecipherableError, decrypt
from miniprogram_stub.platform.inbox import Message, show
from miniprogram_stub.platform.people import person_called
from miniprogram_stub.platform.vapid import (
    ForbiddenError,
    NotIdentifiedError,
    require_identified,
    to_base64url,
)

LARGEST_BODY: Final = 4096
LONGEST_STAY: Final = 28 * 86400  # seconds


class PushRefusedError(Exception):
    """An HTTP status, and its reason in English as push services give it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A request of the application server; seconds to live, and a topic or an empty one."""

    token: str
    authorization: str
    seconds: int
    topic: str
    body: bytes


def subscribe(rows: sqlite3.Connection, person: str, vapid_key: bytes, origin: str) -> dict[str, object]:
    """A browser's new subscription, as PushSubscription.toJSON() gives it."""
    key, auth, token = (
        ec.generate_private_key(ec.SECP256R1()),
        secrets.token_bytes(16),
        secrets.token_urlsafe(24),
    )
    point = key.public_key().public_bytes(*POINT)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    rows.execute(
        "INSERT INTO push_subscriptions (token, person, origin, vapid_key, private_key, public_key, auth)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (token, person_called(rows, person).name, origin, vapid_key, private, point, auth),
    )
    keys = {"p256dh": to_base64url(point), "auth": to_base64url(auth)}
    return {"endpoint": f"{origin}/push/{token}", "expirationTime": None, "keys": keys}


def unsubscribe(rows: sqlite3.Connection, token: str) -> bool:
    """The browser is gone for good, and what waited for it; False if there was no such subscription."""
    rows.execute("DELETE FROM push_waiting WHERE token = ?", (token,))
    dropped = rows.execute(
        "UPDATE push_subscriptions SET dropped_at = ? WHERE token = ? AND dropped_at IS NULL",
        (time.time(), token),
    )
    return dropped.rowcount == 1


def accept(rows: sqlite3.Connection, pushed: Pushed) -> str:
    """Deliver, or keep for a browser that is offline; answers the message's address."""
    subscription = _subscription(rows, pushed.token)
    try:
        require_identified(pushed.authorization, subscription["vapid_key"], subscription["origin"])
    except NotIdentifiedError as error:
        raise PushRefusedError(401, "Missing VAPID credentials") from error
    except ForbiddenError as error:
        raise PushRefusedError(403, str(error)) from error
    content = _opened(subscription, pushed.body)
    message_id = secrets.token_urlsafe(16)
    if subscription["offline"]:
        _keep(rows, pushed, message_id, content)
    else:
        _arrive(rows, subscription["person"], message_id, content)
    return f"{subscription['origin']}/push/m/{message_id}"


def go_offline(rows: sqlite3.Connection, token: str) -> bool:
    """The browser is unreachable; False if there is no such subscription."""
    return _set_offline(rows, token, 1)


def go_online(rows: sqlite3.Connection, token: str) -> bool:
    """The browser is back: what waited and has not expired arrives in its order."""
    if not _set_offline(rows, token, 0):
        return False
    waiting = rows.execute(
        "SELECT person, message_id, content, expires_at FROM push_waiting JOIN push_subscriptions"
        " USING (token) WHERE token = ? ORDER BY id",
        (token,),
    ).fetchall()
    rows.execute("DELETE FROM push_waiting WHERE token = ?", (token,))
    for message in waiting:
        if message["expires_at"] > time.time():
            _arrive(rows, message["person"], message["message_id"], message["content"])
    return True


def _subscription(rows: sqlite3.Connection, token: str) -> sqlite3.Row:
    row: sqlite3.Row | None = rows.execute(
        "SELECT * FROM push_subscriptions WHERE token = ?", (token,)
    ).fetchone()
    if row is None:
        raise PushRefusedError(404, "No such subscription")
    if row["dropped_at"] is not None:
        raise PushRefusedError(410, "The subscription has expired or was unsubscribed")
    return row


def _opened(subscription: sqlite3.Row, body: bytes) -> str:
    # A real service cannot look inside, and a browser drops what it cannot open without a word:
    # here that is said at once, to whom it helps.
    key = load_der_private_key(subscription["private_key"], None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the books hold a key of another kind")
    try:
        return decrypt(body, key, subscription["auth"]).decode()
    except (UndecipherableError, UnicodeDecodeError) as error:
        raise PushRefusedError(400, "The body is not encrypted for this subscription") from error


def _keep(rows: sqlite3.Connection, pushed: Pushed, message_id: str, content: str) -> None:
    """A message without life (TTL 0) is for nobody who is offline; a topic holds one message."""
    if pushed.topic:
        rows.execute("DELETE FROM push_waiting WHERE token = ? AND topic = ?", (pushed.token, pushed.topic))
    if pushed.seconds > 0:
        rows.execute(
            "INSERT INTO push_waiting (token, message_id, topic, content, expires_at) VALUES (?, ?, ?, ?, ?)",
            (
                pushed.token,
                message_id,
                pushed.topic,
                content,
                time.time() + pushed.seconds,
            ),
        )


def _arrive(rows: sqlite3.Connection, person: str, message_id: str, content: str) -> None:
    title, text = _shown(content)
    show(
        rows,
        Message(
            channel="push", person=person, title=title, text=text, content=content, platform_id=message_id
        ),
    )


def _shown(content: str) -> tuple[str, str]:
    """Title and body where the page's service worker would find them, else the content itself."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        return "", content
    if not isinstance(fields, dict) or not isinstance(fields.get("body"), str):
        return "", content
    return str(fields.get("title", "")), fields["body"]


def _set_offline(rows: sqlite3.Connection, token: str, offline: int) -> bool:
    changed = rows.execute(
        "UPDATE push_subscriptions SET offline = ? WHERE token = ? AND dropped_at IS NULL", (offline, token)
    )
    return changed.rowcount == 1
