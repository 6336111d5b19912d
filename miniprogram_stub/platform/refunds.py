"""Refunds (退款) on either platform."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

from miniprogram_stub.platform.trades import Trade, new_number

State = Literal["processing", "success", "abnormal", "closed"]
Outcome = Literal["success", "abnormal", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One refund; a processing one `becomes` something else at `settles_at`."""

    id: int
    trade: int
    refund_no: str
    out_refund_no: str
    amount_fen: int
    reason: str
    notify_url: str
    state: State
    becomes: Outcome
    requested_at: float
    settles_at: float
    settled_at: float | None


def outcome_of(fault: str) -> Outcome:
    """What a refund that meets this fault becomes."""
    if fault == "abnormal":
        return "abnormal"
    return "closed" if fault == "closed" else "success"


def refunds_of(rows: sqlite3.Connection, trade: Trade) -> list[Refund]:
    """In the order they were asked for."""
    found = rows.execute("SELECT * FROM refunds WHERE trade = ? ORDER BY id", (trade.id,))
    return [Refund(**row) for row in found]


def find_refund(rows: sqlite3.Connection, trade: Trade, out_refund_no: str) -> Refund | None:
    """The trade's refund of that number of the merchant's."""
    return next((one for one in refunds_of(rows, trade) if one.out_refund_no == out_refund_no), None)


def refunded_fen(rows: sqlite3.Connection, trade: Trade) -> int:
    """What went back."""
    return sum(one.amount_fen for one in refunds_of(rows, trade) if one.state == "success")


def taken_fen(rows: sqlite3.Connection, trade: Trade) -> int:
    """What went back or is on its way; a refund that was closed gives its share free again."""
    return sum(one.amount_fen for one in refunds_of(rows, trade) if one.state != "closed")


def add_refund(
    rows: sqlite3.Connection,
    trade: Trade,
    *,
    out_refund_no: str,
    amount_fen: int,
    reason: str,
    notify_url: str,
    becomes: Outcome,
    now: float,
    settles_at: float,
) -> Refund:
    """Accept it; `settles_at` in the past makes it final when time passes next."""
    added = rows.execute(
        "INSERT INTO refunds (trade, refund_no, out_refund_no, amount_fen, reason, notify_url, state, becomes,"
        " requested_at, settles_at) VALUES (?, ?, ?, ?, ?, ?, 'processing', ?, ?, ?)",
        (
            trade.id,
            new_number("503", now),
            out_refund_no,
            amount_fen,
            reason,
            notify_url,
            becomes,
            now,
            settles_at,
        ),
    )
    return refund(rows, int(added.lastrowid or 0))


def settle(rows: sqlite3.Connection, found: Refund, outcome: Outcome, now: float) -> Refund:
    """It is what it becomes."""
    rows.execute(
        "UPDATE refunds SET state = ?, settled_at = ? WHERE id = ?",
        (outcome, now, found.id),
    )
    return refund(rows, found.id)


def refund(rows: sqlite3.Connection, refund_id: int) -> Refund:
    """The refund of that row."""
    return Refund(**rows.execute("SELECT * FROM refunds WHERE id = ?", (refund_id,)).fetchone())
