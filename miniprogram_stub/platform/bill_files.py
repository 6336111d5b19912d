"""Bill files (账单文件): which day's may be had, where a drawn one is fetched, and for how long."""

from __future__ import annotations

import secrets
import sqlite3
import time
from datetime import date, datetime, timedelta
from typing import Final

from miniprogram_stub.platform.clock import BEIJING
from miniprogram_stub.platform.refunds import Refund
from miniprogram_stub.platform.trades import Platform, Trade

_PAID: Final = "SELECT * FROM trades WHERE platform = ? AND paid_at >= ? AND paid_at < ? ORDER BY paid_at, id"
_ACCEPTED: Final = """
SELECT refunds.* FROM refunds JOIN trades ON trades.id = refunds.trade
WHERE platform = ? AND requested_at >= ? AND requested_at < ? ORDER BY requested_at, refunds.id
"""
_DONE: Final = """
SELECT refunds.* FROM refunds JOIN trades ON trades.id = refunds.trade
WHERE platform = ? AND state = 'success' AND settled_at >= ? AND settled_at < ?
ORDER BY settled_at, refunds.id
"""


def bill_day(text: str) -> date | None:
    """`2026-11-20`, and nothing else."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=BEIJING).date() if len(text) == 10 else None
    except ValueError:
        return None


def is_ready(rows: sqlite3.Connection, day: date) -> bool:
    """Once the day is over in Beijing, or somebody let it be ready earlier."""
    if day < datetime.now(BEIJING).date():
        return True
    return rows.execute("SELECT 1 FROM early_bills WHERE day = ?", (day.isoformat(),)).fetchone() is not None


def let_be_ready(rows: sqlite3.Connection, day: date) -> None:
    """Do not wait for the day's end."""
    rows.execute("INSERT INTO early_bills VALUES (?) ON CONFLICT DO NOTHING", (day.isoformat(),))


def payments_on(rows: sqlite3.Connection, platform: Platform, day: date) -> list[Trade]:
    """Those paid on that day."""
    return [Trade(**row) for row in rows.execute(_PAID, (platform, *_bounds(day)))]


def refunds_accepted_on(rows: sqlite3.Connection, platform: Platform, day: date) -> list[Refund]:
    """Those asked for on that day, whatever became of them: WeChat Pay's view."""
    return [Refund(**row) for row in rows.execute(_ACCEPTED, (platform, *_bounds(day)))]


def refunds_done_on(rows: sqlite3.Connection, platform: Platform, day: date) -> list[Refund]:
    """Those that were done on that day: Alipay's view."""
    return [Refund(**row) for row in rows.execute(_DONE, (platform, *_bounds(day)))]


def keep_file(
    rows: sqlite3.Connection, platform: Platform, name: str, content: bytes, lifetime_seconds: float
) -> str:
    """Keep a drawn bill to be fetched; answers the token of its address."""
    now, token = time.time(), secrets.token_urlsafe(32)
    rows.execute("DELETE FROM bill_files WHERE expires_at <= ?", (now,))
    rows.execute(
        "INSERT INTO bill_files VALUES (?, ?, ?, ?, ?)",
        (token, platform, name, content, now + lifetime_seconds),
    )
    return token


def kept_file(rows: sqlite3.Connection, platform: Platform, token: str) -> tuple[str, bytes] | None:
    """Name and content while the address lives."""
    row = rows.execute(
        "SELECT name, content FROM bill_files WHERE token = ? AND platform = ? AND expires_at > ?",
        (token, platform, time.time()),
    ).fetchone()
    return (row["name"], row["content"]) if row else None


def _bounds(day: date) -> tuple[float, float]:
    start = datetime(day.year, day.month, day.day, tzinfo=BEIJING)
    return start.timestamp(), (start + timedelta(days=1)).timestamp()
