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


def link_phone(rows: sqlite3.Connection, name: str, phone: str) -> None:
    """From now on messages to this number are this person's."""
    person_called(rows, name)
    rows.execute(
        "INSERT INTO phones (phone, person) VALUES (?, ?)"
        " ON CONFLICT (phone) DO UPDATE SET person = excluded.person",
        (phone, name),
    )
