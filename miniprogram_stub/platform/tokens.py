"""Tokens (令牌) that live for a while: WeChat's access tokens and Alipay's refresh tokens."""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Literal

Kind = Literal["wechat_access", "alipay_refresh"]


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it stands in the books; instants are Unix seconds."""

    token: str
    kind: Kind
    person: str
    forced: int
    issued_at: float
    expires_at: float
    dead_at: float | None

    @property
    def seconds_left(self) -> float:
        """Until it expires; negative afterwards."""
        return self.expires_at - time.time()


def issue_token(
    rows: sqlite3.Connection, kind: Kind, lifetime_seconds: float, *, person: str = "", forced: bool = False
) -> Token:
    """A new token; earlier ones stay as they are."""
    now = time.time()
    token = Token(secrets.token_urlsafe(48), kind, person, int(forced), now, now + lifetime_seconds, None)
    rows.execute(
        "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, NULL)",
        (token.token, kind, person, token.forced, now, token.expires_at),
    )
    return token


def find_token(rows: sqlite3.Connection, kind: Kind, token: str) -> Token | None:
    """The token of that text, dead or alive."""
    row = rows.execute("SELECT * FROM tokens WHERE token = ? AND kind = ?", (token, kind)).fetchone()
    return Token(**row) if row else None


def newest_live_token(rows: sqlite3.Connection, kind: Kind) -> Token | None:
    """The last one issued that neither died nor expired."""
    row = rows.execute(
        "SELECT * FROM tokens WHERE kind = ? AND dead_at IS NULL AND expires_at > ? ORDER BY issued_at DESC",
        (kind, time.time()),
    ).fetchone()
    return Token(**row) if row else None


def forced_within(rows: sqlite3.Connection, kind: Kind, seconds: float) -> int:
    """How many tokens were issued by force in the last `seconds`."""
    counted = rows.execute(
        "SELECT count(*) FROM tokens WHERE kind = ? AND forced AND issued_at > ?",
        (kind, time.time() - seconds),
    )
    return int(counted.fetchone()[0])


def kill_tokens(rows: sqlite3.Connection, kind: Kind) -> None:
    """Revoke every token of the kind."""
    rows.execute("UPDATE tokens SET dead_at = ? WHERE kind = ? AND dead_at IS NULL", (time.time(), kind))


def kill_token(rows: sqlite3.Connection, token: str) -> None:
    """Revoke one token."""
    rows.execute("UPDATE tokens SET dead_at = ? WHERE token = ?", (time.time(), token))
