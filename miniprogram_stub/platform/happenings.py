"""What happens to trades and refunds, said to the merchant in the same transaction; and time passing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

from miniprogram_stub.platform.alipay_states import notice_content
from miniprogram_stub.platform.notices import queue_notice
from miniprogram_stub.platform.refunds import Outcome, Refund, refund, refunded_fen, settle
from miniprogram_stub.platform.trades import Trade, close_trade, finish_trade, mark_paid, trade
from miniprogram_stub.platform.wechat_pay_states import refund_notice, transaction

P = ParamSpec("P")
T = TypeVar("T")

REFUND_SECONDS: Final = 365 * 86400  # for so long after the payment a refund is possible
_WECHAT_SUMMARIES: Final = {"success": "退款成功", "abnormal": "退款异常", "closed": "退款关闭"}


def timely(
    command: Callable[Concatenate[sqlite3.Connection, P], T],
) -> Callable[Concatenate[sqlite3.Connection, P], T]:
    """The command, which sees everything that time has done by now."""

    def with_time_passed(rows: sqlite3.Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        pass_time(rows, time.time())
        return command(rows, *args, **kwargs)

    return with_time_passed


def pass_time(rows: sqlite3.Connection, now: float) -> None:
    """Let expire, settle and finish what is due."""
    unpaid = rows.execute(
        "SELECT * FROM trades WHERE status IN ('prepared', 'waiting') AND expires_at <= ?", (now,)
    )
    for row in unpaid.fetchall():
        closed(rows, close_trade(rows, Trade(**row), "time", row["expires_at"]), now)
    processing = rows.execute("SELECT * FROM refunds WHERE state = 'processing' AND settles_at <= ?", (now,))
    for row in processing.fetchall():
        settled(rows, Refund(**row), row["becomes"], now)
    # The plus keeps SQLite from walking through all of a platform's trades to find the few that are old.
    old = rows.execute(
        "SELECT * FROM trades WHERE status = 'paid' AND +platform = 'alipay' AND paid_at <= ?",
        (now - REFUND_SECONDS,),
    )
    for row in old.fetchall():
        _finish(rows, Trade(**row), now)


def paid(rows: sqlite3.Connection, found: Trade, payer: str, amount_fen: int, now: float) -> Trade:
    """The buyer paid."""
    done = mark_paid(rows, found, payer, amount_fen, now)
    if done.platform == "alipay":
        queue_notice(rows, done, "TRADE_SUCCESS", done.notify_url, notice_content(rows, done), now=now)
    else:
        content = {"type": "transaction", "summary": "支付成功", "resource": transaction(rows, done)}
        queue_notice(rows, done, "TRANSACTION.SUCCESS", done.notify_url, content, now=now)
    return done


def closed(rows: sqlite3.Connection, found: Trade, now: float) -> None:
    """It was closed unpaid: Alipay says so, once it is a trade at all; WeChat never does."""
    if found.platform == "alipay" and found.trade_no:
        queue_notice(rows, found, "TRADE_CLOSED", found.notify_url, notice_content(rows, found), now=now)


def settled(rows: sqlite3.Connection, found: Refund, outcome: Outcome, now: float) -> Refund:
    """A refund reached its end; Alipay speaks of those that succeeded, at the trade's own address."""
    done, of = settle(rows, found, outcome, now), trade(rows, found.trade)
    if of.platform == "wechatpay":
        content: dict[str, object] = {
            "type": "refund",
            "summary": _WECHAT_SUMMARIES[outcome],
            "resource": refund_notice(of, done),
        }
        queue_notice(rows, of, f"REFUND.{outcome.upper()}", done.notify_url, content, now=now)
    elif outcome == "success":
        content = notice_content(rows, of, done)
        queue_notice(rows, of, str(content["trade_status"]), of.notify_url, content, now=now)
    return refund(rows, done.id)


def _finish(rows: sqlite3.Connection, found: Trade, now: float) -> None:
    """No more refunds; what was given back whole was closed long ago."""
    if refunded_fen(rows, found) == found.amount_fen:
        return
    done = finish_trade(rows, found)
    queue_notice(rows, done, "TRADE_FINISHED", done.notify_url, notice_content(rows, done), now=now)
