"""The people behind the phones (用户), made when first named."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """One person as each platform knows them; the ids stay the same for this home's apps."""

    name: str
    wechat_openid: str
    wechat_unionid: str
    alipay_user_id: str
    alipay_open_id: str


def person_called(rows: sqlite3.Connection, name: str) -> Person:
    """The person of that name, new if nobody has it yet."""
    rows.execute(
        "INSERT INTO people VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
        (
            name,
            "o" + secrets.token_urlsafe(21)[:27],
            "o" + secrets.token_urlsafe(21)[:27],
            f"2088{secrets.randbelow(10**12):012d}",
            secrets.token_urlsafe(36)[:47],
        ),
    )
    return Person(**rows.execute("SELECT * FROM people WHERE name = ?", (name,)).fetchone())
