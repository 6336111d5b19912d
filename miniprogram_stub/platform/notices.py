"""Notifications to the merchant (异步通知), kept until they are answered as they should be."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from miniprogram_stub.platform.trades import Platform, Trade

_LONGEST_ANSWER: Final = 200
_NEXT: Final = """
SELECT min(due) FROM (
    SELECT min(next_at) AS due FROM notices WHERE next_at > :now
    UNION ALL SELECT min(expires_at) FROM trades
        WHERE status IN ('prepared', 'waiting') AND expires_at > :now
    UNION ALL SELECT min(settles_at) FROM refunds WHERE state = 'processing' AND settles_at > :now)
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification; its id stays the same however often it is sent."""

    id: int
    platform: Platform
    trade: int
    event: str
    notice_id: str
    url: str
    content: str
    made_at: float
    tries: int
    held: int
    next_at: float | None
    delivered_at: float | None
    last_answer: str

    @property
    def fields(self) -> dict[str, Any]:
        """What is said, as it stood when it happened."""
        content: dict[str, Any] = json.loads(self.content)
        return content


def queue_notice(
    rows: sqlite3.Connection, trade: Trade, event: str, url: str, content: Mapping[str, object], *, now: float
) -> None:
    """Send it from now on; a merchant without an address hears nothing."""
    if url:
        text = json.dumps(content, ensure_ascii=False)
        rows.execute(
            "INSERT INTO notices (platform, trade, event, notice_id, url, content, made_at, next_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (trade.platform, trade.id, event, secrets.token_hex(16), url, text, now, now),
        )


def due_notices(rows: sqlite3.Connection, under_way: Collection[int], now: float) -> list[Notice]:
    """Those to be sent now, oldest first."""
    # The plus keeps SQLite from walking through all that was ever said for the sake of the order.
    found = rows.execute("SELECT * FROM notices WHERE next_at <= ? ORDER BY +id", (now,))
    return [Notice(**row) for row in found if row["id"] not in under_way]


def next_moment(rows: sqlite3.Connection, now: float) -> float | None:
    """When something happens by itself next; what is due already is being done."""
    (due,) = rows.execute(_NEXT, {"now": now}).fetchone()
    return None if due is None else float(due)


def delivered(rows: sqlite3.Connection, notice_id: int, answer: str, now: float) -> None:
    """The merchant took it."""
    rows.execute(
        "UPDATE notices SET tries = tries + 1, next_at = NULL, held = 0, delivered_at = ?, last_answer = ?"
        " WHERE id = ?",
        (now, answer[:_LONGEST_ANSWER], notice_id),
    )


def failed(rows: sqlite3.Connection, notice_id: int, answer: str, next_at: float | None) -> None:
    """It was not taken; None gives it up."""
    rows.execute(
        "UPDATE notices SET tries = tries + 1, held = 0, next_at = ?, last_answer = ? WHERE id = ?",
        (next_at, answer[:_LONGEST_ANSWER], notice_id),
    )


def postpone(rows: sqlite3.Connection, notice_id: int, until: float, *, held: bool) -> None:
    """Not yet; a held one goes as soon as another has gone."""
    rows.execute("UPDATE notices SET next_at = ?, held = ? WHERE id = ?", (until, held, notice_id))


def release_held(rows: sqlite3.Connection, platform: Platform, now: float) -> None:
    """A later one has overtaken them."""
    rows.execute("UPDATE notices SET next_at = ? WHERE platform = ? AND held = 1", (now, platform))


def all_notices(rows: sqlite3.Connection) -> list[dict[str, object]]:
    """How each fared, for people and tests."""
    found = rows.execute(
        "SELECT notices.platform, out_trade_no, event, notice_id, url, tries, next_at, delivered_at, last_answer"
        " FROM notices JOIN trades ON trades.id = notices.trade ORDER BY notices.id"
    )
    return [dict(row) for row in found]
