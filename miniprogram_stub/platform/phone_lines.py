"""Telephone lines (号码状态): a phone is on, switched off, or the number is void (空号)."""

from __future__ import annotations

import sqlite3
from typing import Final

STATES: Final = ("on", "off", "void")


def line_state(rows: sqlite3.Connection, phone: str) -> str:
    """On, unless somebody said otherwise."""
    row = rows.execute("SELECT state FROM phones WHERE phone = ?", (phone,)).fetchone()
    return str(row["state"]) if row else "on"


def set_line_state(rows: sqlite3.Connection, phone: str, state: str) -> None:
    """One of STATES."""
    rows.execute(
        "INSERT INTO phones (phone, state) VALUES (?, ?)"
        " ON CONFLICT (phone) DO UPDATE SET state = excluded.state",
        (phone, state),
    )
