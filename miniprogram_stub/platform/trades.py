"""Trades (交易) on either platform, and the moves between their states."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from miniprogram_stub.platform.clock import BEIJING

Platform = Literal["alipay", "wechatpay"]
Kind = Literal["create", "precreate", "wap", "JSAPI", "NATIVE", "MWEB"]
Status = Literal["prepared", "waiting", "paid", "finished", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the merchant asked for; `buyer` is a person's name, empty when anybody may pay."""

    platform: Platform
    kind: Kind
    app_id: str
    seller: str
    out_trade_no: str
    subject: str
    attach: str
    total_fen: int
    buyer: str
    notify_url: str
    return_url: str
    expires_at: float

    @property
    def terms(self) -> tuple[str, int, str, str]:
        """What must not differ when the same number is ordered again."""
        return self.app_id, self.total_fen, self.buyer, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade(Order):
    """An order and what became of it; `paid_fen` is what the payer gave, None while unpaid."""

    id: int
    trade_no: str | None
    token: str
    status: Status
    paid_fen: int | None
    payer: str | None
    closed_by: str | None
    created_at: float
    prepaid_at: float
    paid_at: float | None
    closed_at: float | None

    @property
    def amount_fen(self) -> int:
        """What was paid, or is to be."""
        return self.total_fen if self.paid_fen is None else self.paid_fen


def find_trade(
    rows: sqlite3.Connection, platform: Platform, *, out_trade_no: str = "", trade_no: str = ""
) -> Trade | None:
    """By the platform's number where it is given, else by the merchant's."""
    if trade_no:
        statement, number = "SELECT * FROM trades WHERE platform = ? AND trade_no = ?", trade_no
    else:
        statement, number = "SELECT * FROM trades WHERE platform = ? AND out_trade_no = ?", out_trade_no
    row = rows.execute(statement, (platform, number)).fetchone()
    return Trade(**row) if row else None


def trade_of_token(rows: sqlite3.Connection, token: str) -> Trade | None:
    """By the cashier's address; Alipay's client names the trade by its number instead."""
    row = rows.execute("SELECT * FROM trades WHERE token = ? OR trade_no = ?", (token, token)).fetchone()
    return Trade(**row) if row else None


def trade(rows: sqlite3.Connection, trade_id: int) -> Trade:
    """The trade of that row."""
    return Trade(**rows.execute("SELECT * FROM trades WHERE id = ?", (trade_id,)).fetchone())


def add_trade(rows: sqlite3.Connection, order: Order, status: Status, token: str, now: float) -> Trade:
    """A new trade; Alipay numbers it unless it is only prepared, WeChat once it is paid."""
    numbered = order.platform == "alipay" and status != "prepared"
    values = {
        **asdict(order),
        "status": status,
        "token": token,
        "now": now,
        "trade_no": new_number("22001", now) if numbered else None,
    }
    added = rows.execute(
        "INSERT INTO trades (platform, kind, app_id, seller, out_trade_no, subject, attach, total_fen, buyer,"
        " notify_url, return_url, expires_at, status, token, trade_no, created_at, prepaid_at)"
        " VALUES (:platform, :kind, :app_id, :seller, :out_trade_no, :subject, :attach, :total_fen, :buyer,"
        " :notify_url, :return_url, :expires_at, :status, :token, :trade_no, :now, :now)",
        values,
    )
    return trade(rows, int(added.lastrowid or 0))


def new_number(infix: str, now: float) -> str:
    """A platform's own number: 28 digits that begin with the Beijing date."""
    day = f"{datetime.fromtimestamp(now, BEIJING):%Y%m%d}{infix}"
    return day + f"{secrets.randbelow(10**15):015d}".zfill(28 - len(day))


def show_to_buyer(rows: sqlite3.Connection, found: Trade, now: float) -> Trade:
    """The buyer scanned the code: from now on Alipay knows it as a trade."""
    if found.status != "prepared":
        return found
    rows.execute(
        "UPDATE trades SET status = 'waiting', trade_no = ? WHERE id = ?",
        (new_number("22001", now), found.id),
    )
    return trade(rows, found.id)


def renew_prepay(rows: sqlite3.Connection, found: Trade, token: str, now: float) -> Trade:
    """A prepay_id in place of one that is too old."""
    rows.execute("UPDATE trades SET token = ?, prepaid_at = ? WHERE id = ?", (token, now, found.id))
    return trade(rows, found.id)


def close_trade(
    rows: sqlite3.Connection, found: Trade, closed_by: Literal["merchant", "time"], closed_at: float
) -> Trade:
    """Nobody can pay it any more."""
    rows.execute(
        "UPDATE trades SET status = 'closed', closed_by = ?, closed_at = ? WHERE id = ?",
        (closed_by, closed_at, found.id),
    )
    return trade(rows, found.id)


def mark_paid(rows: sqlite3.Connection, found: Trade, payer: str, amount_fen: int, now: float) -> Trade:
    """The money is the merchant's."""
    rows.execute(
        "UPDATE trades SET status = 'paid', payer = ?, paid_fen = ?, paid_at = ?, trade_no = ?,"
        " closed_by = NULL, closed_at = NULL WHERE id = ?",
        (payer, amount_fen, now, found.trade_no or _number(found, now), found.id),
    )
    return trade(rows, found.id)


def finish_trade(rows: sqlite3.Connection, found: Trade) -> Trade:
    """The time for refunds is over."""
    rows.execute("UPDATE trades SET status = 'finished' WHERE id = ?", (found.id,))
    return trade(rows, found.id)


def _number(found: Trade, now: float) -> str:
    if found.platform == "alipay":
        return new_number("22001", now)
    return f"4200{secrets.randbelow(10**24):024d}"
