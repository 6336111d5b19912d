"""Single-use codes (一次性凭证) that a phone gets from its platform and the backend redeems."""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Literal

from miniprogram_stub.platform.people import link_phone, person_called

Kind = Literal["wechat_login", "wechat_phone", "alipay_login"]


class CodeUnknownError(Exception):
    """No such code, or its life is over."""


class CodeUsedError(Exception):
    """The code was redeemed before."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Whose code it was; the phone is empty for a login."""

    person: str
    phone: str


def issue_code(
    rows: sqlite3.Connection, kind: Kind, person: str, lifetime_seconds: float, phone: str = ""
) -> str:
    """A new code for that person, who is created on demand; a phone number becomes that person's."""
    code = secrets.token_hex(16)
    if phone:
        link_phone(rows, person, phone)
    rows.execute(
        "INSERT INTO codes VALUES (?, ?, ?, ?, ?, NULL)",
        (code, kind, person_called(rows, person).name, phone, time.time() + lifetime_seconds),
    )
    return code


def redeem_code(rows: sqlite3.Connection, kind: Kind, code: str) -> Redeemed:
    """Use the code up; raises CodeUnknownError or CodeUsedError."""
    row = rows.execute("SELECT * FROM codes WHERE code = ? AND kind = ?", (code, kind)).fetchone()
    if row is None:
        raise CodeUnknownError
    if row["used_at"] is not None:
        raise CodeUsedError
    if row["expires_at"] <= time.time():
        raise CodeUnknownError
    rows.execute("UPDATE codes SET used_at = ? WHERE code = ?", (time.time(), code))
    return Redeemed(row["person"], row["phone"])


def redeemed_within(rows: sqlite3.Connection, kind: Kind, person: str, seconds: float) -> int:
    """How many codes of that person were redeemed in the last `seconds`."""
    counted = rows.execute(
        "SELECT count(*) FROM codes WHERE person = ? AND kind = ? AND used_at > ?",
        (person, kind, time.time() - seconds),
    )
    return int(counted.fetchone()[0])
