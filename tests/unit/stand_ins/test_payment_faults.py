"""Faults of payment calls: what the caller cannot know, and that the books know it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from miniprogram_stub.platform.faults import (
    APIS,
    CALL_FAULTS,
    NOTICE_FAULTS,
    PAY_FAULTS,
    REFUND_FAULTS,
    Fault,
)
from tests.unit.stand_ins.merchant import (
    alipay,
    alipay_buyer,
    alipay_state,
    created,
    forget,
    number,
    paid_by_alipay,
    paid_by_wechat,
    pay_by_alipay,
    pay_by_wechat,
    prepaid,
    receiver,
    refused,
    wechat,
    wechat_call,
    wechat_order,
    wechat_query,
    wechat_refund,
)
from tests.unit.stand_ins.stand import Stand

GUIDE = Path(__file__).parents[3] / "docs" / "payments.md"
CREATE, REFUND = "alipay.trade.create", "alipay.trade.refund"
JSAPI = "/v3/pay/transactions/jsapi"


@pytest.fixture(autouse=True)
def cleared(paying: Stand) -> Iterator[None]:
    yield
    forget(paying)


@pytest.mark.parametrize(("kind", "is_done"), [("drop", True), ("cut", False)])
def test_alipay_loses_the_answer_or_the_call(paying: Stand, kind: str, is_done: bool) -> None:
    alipay_buyer(paying, "陈静")
    out_trade_no = number()
    paying.fault("alipay", CREATE, kind)
    with pytest.raises(httpx.RemoteProtocolError):
        created(paying, out_trade_no=out_trade_no)
    assert (out_trade_no in paying.trades()) is is_done
    assert created(paying, out_trade_no=out_trade_no)["code"] == "10000"


@pytest.mark.parametrize(("kind", "is_done"), [("busy_done", True), ("busy", False)])
def test_alipay_says_20000_whether_or_not_it_is_done(paying: Stand, kind: str, is_done: bool) -> None:
    trade = paid_by_alipay(paying)
    content = {"trade_no": trade["trade_no"], "refund_amount": "8.80", "out_request_no": "r1"}
    paying.fault("alipay", REFUND, kind)
    assert refused(alipay(paying, REFUND, content)) == ("20000", "ACQ.SYSTEM_ERROR")
    assert paying.trades()[trade["out_trade_no"]]["refunded_fen"] == (880 if is_done else 0)
    assert alipay(paying, REFUND, content)["fund_change"] == ("N" if is_done else "Y")
    assert paying.trades()[trade["out_trade_no"]]["refunded_fen"] == 880


@pytest.mark.parametrize(("kind", "is_done"), [("drop", True), ("cut", False)])
def test_wechat_loses_the_answer_or_the_call(paying: Stand, kind: str, is_done: bool) -> None:
    order = wechat_order(paying)
    paying.fault("wechatpay", "prepay", kind)
    with pytest.raises(httpx.RemoteProtocolError):
        wechat_call(paying, "POST", JSAPI, order)
    assert (order["out_trade_no"] in paying.trades()) is is_done
    assert wechat(paying, "POST", JSAPI, order)["prepay_id"]


@pytest.mark.parametrize(("kind", "is_done"), [("busy_done", True), ("busy", False)])
def test_wechat_says_system_error_whether_or_not_it_is_done(paying: Stand, kind: str, is_done: bool) -> None:
    paid = paid_by_wechat(paying)
    paying.fault("wechatpay", "refund", kind)
    first = wechat_refund(paying, paid, 880, 500)
    assert first["code"] == "SYSTEM_ERROR"
    assert len(paying.trades()[paid["out_trade_no"]]["refunds"]) == (1 if is_done else 0)
    wechat_refund(paying, paid, 880, out_refund_no=first["out_refund_no"])
    assert len(paying.trades()[paid["out_trade_no"]]["refunds"]) == 1


def test_wechat_limits_how_often(paying: Stand) -> None:
    order = prepaid(paying)
    paying.fault("wechatpay", "query", "http_429")
    assert wechat_query(paying, order, 429)["code"] == "FREQUENCY_LIMITED"
    assert wechat_query(paying, order)["trade_state"] == "NOTPAY"


@pytest.mark.parametrize("closed_by", ["time", "merchant"])
def test_a_person_pays_at_the_last_moment(paying: Stand, closed_by: str) -> None:
    """One who had the cashier open when the time was over is let through, unless the merchant closed it."""
    with receiver() as inbox:
        trade = created(paying, notify_url=inbox.url)
        if closed_by == "time":
            paying.books("UPDATE trades SET expires_at = 0 WHERE trade_no = ?", trade["trade_no"])
        else:
            alipay(paying, "alipay.trade.close", {"trade_no": trade["trade_no"]})
        assert alipay_state(paying, trade) == "TRADE_CLOSED"
        paying.fault("alipay", "pay", "late")
        assert pay_by_alipay(paying, trade) == ("9000" if closed_by == "time" else "4000")
        if closed_by == "merchant":
            assert alipay_state(paying, trade) == "TRADE_CLOSED"
            return
        assert alipay_state(paying, trade) == "TRADE_SUCCESS"
        states = [delivery.form["trade_status"] for delivery in inbox.wait(2)]
        assert sorted(states) == ["TRADE_CLOSED", "TRADE_SUCCESS"]


def test_a_late_person_at_wechat(paying: Stand) -> None:
    order = prepaid(paying)
    paying.books("UPDATE trades SET expires_at = 0 WHERE token = ?", order["prepay_id"])
    assert wechat_query(paying, order)["trade_state"] == "CLOSED"
    paying.fault("wechatpay", "pay", "late")
    assert pay_by_wechat(paying, order) == "requestPayment:ok"
    assert wechat_query(paying, order)["trade_state"] == "SUCCESS"


@pytest.mark.parametrize(
    ("platform", "api", "kind"),
    [
        ("alipay", "notify", "http_500"),
        ("alipay", "pay", "drop"),
        ("alipay", CREATE, "late"),
        ("alipay", CREATE, "duplicate"),
        ("alipay", CREATE, "abnormal"),
        ("wechatpay", "query", "not_enough"),
        ("wechatpay", "refund", "late"),
        ("wechatpay", "notify", "slow"),
        ("wechatpay", "nothing", "drop"),
    ],
)
def test_a_fault_that_cannot_happen_is_refused(paying: Stand, platform: str, api: str, kind: str) -> None:
    ordered = {"platform": platform, "api": api, "kind": kind}
    answer = paying.http.post("/open/faults", json=ordered)
    assert (answer.status_code, "没有这样的接口或故障" in answer.text) == (400, True)


def test_a_notification_is_not_sent_a_million_times(paying: Stand) -> None:
    ordered = {"platform": "alipay", "api": "notify", "kind": "duplicate", "copies": 1_000_000}
    assert paying.http.post("/open/faults", json=ordered).status_code == 400


def test_the_guide_names_what_can_be_ordered_and_nothing_else() -> None:
    """Interfaces and faults of payments, by the table that people read."""
    table = GUIDE.read_text(encoding="utf-8").split("| `api` | `kind` |")[1].split("\n\n")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines()[2:]]
    apis, kinds = ({name for row in rows for name in re.findall(r"`([^`]+)`", row[at])} for at in (0, 1))
    every = {*CALL_FAULTS, *NOTICE_FAULTS, *REFUND_FAULTS, *PAY_FAULTS}
    assert kinds == every - {"dead_token", "gone"}, "those are of other interfaces"
    bills = {"alipay.data.dataservice.bill.downloadurl.query", "bill", "tradebill", "billdownload"}
    others = {"alipay.system.oauth.token", "alipay.open.app.mini.templatemessage.send"}
    assert apis == {*APIS["alipay"], *APIS["wechatpay"]} - bills - others
    assert Fault("alipay", "notify", "duplicate", copies=200).possible, "the example there"
