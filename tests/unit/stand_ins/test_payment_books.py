"""The payment platforms' books: killed at any moment they hold what was answered; one payment pays once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.unit.stand_ins.merchant import (
    alipay,
    alipay_state,
    created,
    paid_by_alipay,
    paid_by_wechat,
    pay_by_alipay,
    prepaid,
    receiver,
    upload_merchant_key,
    wechat_query,
    wechat_refund,
)
from tests.unit.stand_ins.stand import ROOT, Stand, running


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    return tmp_path


def test_a_kill_keeps_every_answer(killed: Path) -> None:
    answered = []
    with running(killed, speed_up=24_000) as stand:
        upload_merchant_key(stand)
        seller = stand.credentials["alipay"]["seller_id"]
        created(stand)

        def keep_creating() -> None:
            with suppress(httpx.HTTPError):
                while True:
                    answered.append(created(stand))

        thread = threading.Thread(target=keep_creating)
        thread.start()
        paid, order = paid_by_alipay(stand), paid_by_wechat(stand)
        content = {"trade_no": paid["trade_no"], "refund_amount": "8.80", "out_request_no": "r1"}
        alipay(stand, "alipay.trade.refund", content)
        refund = wechat_refund(stand, order, 880)
        os.kill(stand.process.pid, signal.SIGKILL)
        assert stand.process.wait(10) == -signal.SIGKILL
        thread.join()
    assert answered
    with running(killed, stand.app_key, speed_up=24_000) as again:
        assert again.credentials["alipay"]["seller_id"] == seller
        books = again.trades()
        for trade in answered:
            assert books[trade["out_trade_no"]]["trade_no"] == trade["trade_no"]
        assert books[paid["out_trade_no"]]["refunded_fen"] == 880
        assert books[order["out_trade_no"]]["paid_fen"] == 8880
        assert books[order["out_trade_no"]]["refunds"][0]["refund_no"] == refund["refund_id"]
        assert wechat_query(again, order)["trade_state"] == "REFUND"
        assert alipay(again, "alipay.trade.refund", content)["fund_change"] == "N"


def test_what_was_not_told_before_a_kill_is_told_after_it(killed: Path) -> None:
    with receiver((500, b"")) as before, running(killed) as stand:
        trade = paid_by_alipay(stand, notify_url=before.url)
        first = before.wait(1)[0].form
        stand.process.send_signal(signal.SIGKILL)
        stand.process.wait(10)
    with receiver() as after:
        with sqlite3.connect(killed / "books.sqlite3") as rows:
            rows.execute("UPDATE notices SET url = ?", (after.url,))
        rows.close()
        with running(killed, stand.app_key):
            told = after.wait(1)[0].form
    assert (told["notify_id"], told["out_trade_no"]) == (first["notify_id"], trade["out_trade_no"])


def test_many_pay_at_once_and_one_pays(paying: Stand) -> None:
    trade = created(paying)
    with ThreadPoolExecutor(12) as many:
        codes = list(many.map(lambda _: pay_by_alipay(paying, trade), range(12)))
    assert sorted(codes) == ["4000"] * 11 + ["9000"]
    with receiver() as inbox:
        other = created(paying, notify_url=inbox.url)

        def close_or_pay(turn: int) -> None:
            if turn % 2:
                pay_by_alipay(paying, other)
            else:
                alipay(paying, "alipay.trade.close", {"trade_no": other["trade_no"]})

        with ThreadPoolExecutor(8) as many:
            list(many.map(close_or_pay, range(8)))
        state = alipay_state(paying, other)
        assert state in ("TRADE_SUCCESS", "TRADE_CLOSED")
        assert [delivery.form["trade_status"] for delivery in inbox.wait(1)] == [state]


def test_the_books_list_both_platforms(paying: Stand) -> None:
    unpaid = prepaid(paying)
    book = paying.trades()[unpaid["out_trade_no"]]
    assert (book["platform"], book["kind"], book["state"], book["trade_no"]) == (
        "wechatpay",
        "JSAPI",
        "NOTPAY",
        None,
    )
    assert (book["total_fen"], book["paid_fen"], book["refunds"]) == (8880, 0, [])


@pytest.mark.parametrize("factor", ["0", "0.5", "1e9", "fast"])
def test_a_speed_up_that_is_none(tmp_path: Path, factor: str) -> None:
    command = [sys.executable, "-m", "miniprogram_stub.platform", "--port", "0", "--home", str(tmp_path)]
    ended = subprocess.run(
        [*command, "--speed-up", factor], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 2
    assert "--speed-up" in ended.stderr


def test_it_stops_while_notifications_are_under_way(tmp_path: Path) -> None:
    with running(tmp_path, speed_up=24_000) as stand:
        for _ in range(5):
            paid_by_alipay(stand, notify_url="http://127.0.0.1:9/")
        stand.process.send_signal(signal.SIGTERM)
        assert stand.process.wait(10) == 0


def test_credentials_of_an_earlier_version_are_completed(tmp_path: Path) -> None:
    with running(tmp_path) as stand:
        whole = stand.credentials
        older = {name: dict(whole[name]) for name in ("wechat", "alipay", "sms")}
        del older["alipay"]["seller_id"]
    (tmp_path / "credentials.json").write_text(json.dumps(older))
    with running(tmp_path, stand.app_key) as again:
        completed = again.credentials
        assert completed["alipay"]["app_id"] == whole["alipay"]["app_id"]
        assert completed["alipay"]["seller_id"].startswith("2088")
        assert completed["wechatpay"]["public_key"] == whole["wechatpay"]["public_key"]
