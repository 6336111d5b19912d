"""Consent to one message (一次性订阅): each that a person gave is good for one send."""

from __future__ import annotations

import sqlite3
from typing import Literal

from miniprogram_stub.platform.people import person_called

Platform = Literal["wechat", "alipay"]


def give_consent(
    rows: sqlite3.Connection, platform: Platform, person: str, template: str, times: int
) -> None:
    """Consent accumulates; the person is created on demand."""
    rows.execute(
        "INSERT INTO consents VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET remaining = remaining + excluded.remaining",
        (platform, person_called(rows, person).name, template, times),
    )


def spend_consent(rows: sqlite3.Connection, platform: Platform, person: str, template: str) -> bool:
    """Use one up; False when none is left."""
    spent = rows.execute(
        "UPDATE consents SET remaining = remaining - 1"
        " WHERE platform = ? AND person = ? AND template = ? AND remaining > 0",
        (platform, person, template),
    )
    return spent.rowcount == 1
