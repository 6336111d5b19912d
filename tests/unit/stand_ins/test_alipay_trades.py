"""支付宝收单 over the gateway: creating, asking and closing, and every way to be refused."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.unit.stand_ins.merchant import (
    alipay,
    alipay_buyer,
    alipay_state,
    created,
    number,
    paid_by_alipay,
    pay_by_alipay,
    refused,
)
from tests.unit.stand_ins.stand import Json, Stand, alipay_call, verified_node

QUERY, CLOSE = "alipay.trade.query", "alipay.trade.close"


def precreated(stand: Stand, **changed: object) -> Json:
    content = {"out_trade_no": number(), "total_amount": "5.00", "subject": "停车费", **changed}
    return {**content, **alipay(stand, "alipay.trade.precreate", content)}


def let_expire(stand: Stand, trade: Json) -> None:
    stand.books("UPDATE trades SET expires_at = created_at WHERE out_trade_no = ?", trade["out_trade_no"])


def beijing(shift: timedelta) -> str:
    return f"{datetime.now(ZoneInfo('Asia/Shanghai')) + shift:%Y-%m-%d %H:%M:%S}"


def test_a_trade_is_created_asked_about_and_paid(paying: Stand) -> None:
    trade = created(paying)
    assert (trade["code"], trade["msg"]) == ("10000", "Success")
    assert trade["trade_no"].isdigit() and len(trade["trade_no"]) == 28
    waiting = alipay(paying, QUERY, {"trade_no": trade["trade_no"]})
    assert (waiting["trade_status"], waiting["total_amount"]) == ("WAIT_BUYER_PAY", "88.80")
    assert "send_pay_date" not in waiting
    assert pay_by_alipay(paying, trade) == "9000"
    paid = alipay(paying, QUERY, {"out_trade_no": trade["out_trade_no"]})
    assert paid["trade_status"] == "TRADE_SUCCESS"
    assert (paid["total_amount"], paid["receipt_amount"]) == ("88.80", "88.80")
    assert (paid["trade_no"], paid["out_trade_no"]) == (trade["trade_no"], trade["out_trade_no"])
    assert paid["buyer_open_id"] == trade["buyer_open_id"]
    assert paid["fund_bill_list"] == [{"fund_channel": "ALIPAYACCOUNT", "amount": "88.80"}]
    assert datetime.fromisoformat(paid["send_pay_date"]).year >= 2026
    books = paying.trades()[trade["out_trade_no"]]
    assert (books["state"], books["paid_fen"], books["payer"]) == ("TRADE_SUCCESS", 8880, "陈静")


def test_the_same_order_again_is_the_same_trade(paying: Stand) -> None:
    first = created(paying)
    again = created(paying, out_trade_no=first["out_trade_no"])
    assert again["trade_no"] == first["trade_no"]


@pytest.mark.parametrize(
    ("changed", "sub_code"),
    [
        ({"total_amount": "88.81"}, "ACQ.CONTEXT_INCONSISTENT"),
        ({"subject": "停车费"}, "ACQ.CONTEXT_INCONSISTENT"),
        ({"person": "刘洋"}, "ACQ.TRADE_BUYER_NOT_MATCH"),
    ],
)
def test_another_order_of_the_same_number_is_refused(
    paying: Stand, changed: dict[str, str], sub_code: str
) -> None:
    first = created(paying)
    person = changed.pop("person", "陈静")
    again = created(paying, person, out_trade_no=first["out_trade_no"], **changed)
    assert refused(again) == ("40004", sub_code)
    assert paying.trades()[first["out_trade_no"]]["total_fen"] == 8880


def test_an_order_that_is_over_is_not_created_again(paying: Stand) -> None:
    paid = paid_by_alipay(paying)
    assert refused(created(paying, out_trade_no=paid["out_trade_no"])) == ("40004", "ACQ.TRADE_HAS_SUCCESS")
    unpaid = created(paying)
    assert alipay(paying, CLOSE, {"trade_no": unpaid["trade_no"]})["code"] == "10000"
    assert refused(created(paying, out_trade_no=unpaid["out_trade_no"])) == ("40004", "ACQ.TRADE_HAS_CLOSE")


@pytest.mark.parametrize(
    "changed",
    [
        {"out_trade_no": ""},
        {"out_trade_no": "x" * 65},
        {"out_trade_no": "有"},
        {"out_trade_no": "a-b"},
        {"total_amount": "0"},
        {"total_amount": "0.00"},
        {"total_amount": "1.001"},
        {"total_amount": "-1"},
        {"total_amount": "1e3"},
        {"total_amount": "100000000.01"},
        {"total_amount": None},
        {"subject": None},
        {"subject": "字" * 257},
        {"buyer_open_id": "nobody"},
        {"buyer_open_id": None},
        {"op_app_id": None},
        {"op_app_id": "2021000000000000"},
        {"seller_id": "2088000000000000"},
        {"time_expire": "2020-01-01 00:00:00"},
        {"time_expire": "soon"},
        {"timeout_express": "16d"},
        {"timeout_express": "30s"},
        {"product_code": None},
    ],
)
def test_a_parameter_that_is_not_as_it_should_be(paying: Stand, changed: Json) -> None:
    before = len(paying.trades())
    assert refused(created(paying, **changed)) == ("40004", "ACQ.INVALID_PARAMETER")
    assert len(paying.trades()) == before


def test_another_product_needs_another_contract(paying: Stand) -> None:
    assert refused(created(paying, product_code="FACE_TO_FACE_PAYMENT")) == ("40004", "ACQ.ACCESS_FORBIDDEN")


@pytest.mark.parametrize("content", ["", "[]", "{", '"x"'])
def test_a_content_that_is_no_object(paying: Stand, content: str) -> None:
    answer = alipay_call(paying, method=QUERY, grant_type="", biz_content=content)
    name, node = verified_node(paying, answer)
    assert name == "alipay_trade_query_response"
    assert refused(node) == ("40002", "isv.invalid-parameter")


def test_a_wrong_signature_creates_nothing(paying: Stand) -> None:
    before = len(paying.trades())
    for sign in ("", "AAAA", "不是"):
        node = alipay_call(
            paying, method="alipay.trade.create", grant_type="", biz_content="{}", sign=sign or "x"
        ).json()["alipay_trade_create_response"]
        assert refused(node) == ("40002", "isv.invalid-signature")
    assert len(paying.trades()) == before


def test_a_buyer_may_be_named_by_the_older_id(paying: Stand) -> None:
    ids = alipay_buyer(paying, "陈静")
    trade = created(paying, buyer_open_id=None, buyer_id=ids["user_id"])
    assert pay_by_alipay(paying, trade, "刘洋") == "4000"
    assert pay_by_alipay(paying, trade) == "9000"


def test_what_nobody_created_is_not_there(paying: Stand) -> None:
    for method in (QUERY, CLOSE, "alipay.trade.refund"):
        content = {"out_trade_no": number(), "refund_amount": "1.00", "out_request_no": "r1"}
        assert refused(alipay(paying, method, content)) == ("40004", "ACQ.TRADE_NOT_EXIST")
        assert refused(alipay(paying, method, {"refund_amount": "1.00"})) == (
            "40004",
            "ACQ.INVALID_PARAMETER",
        )


def test_only_an_unpaid_trade_is_closed(paying: Stand) -> None:
    trade = created(paying)
    assert alipay(paying, CLOSE, {"out_trade_no": trade["out_trade_no"]})["trade_no"] == trade["trade_no"]
    assert alipay_state(paying, trade) == "TRADE_CLOSED"
    assert pay_by_alipay(paying, trade) == "4000"
    assert refused(alipay(paying, CLOSE, {"out_trade_no": trade["out_trade_no"]})) == (
        "40004",
        "ACQ.TRADE_STATUS_ERROR",
    )
    paid = paid_by_alipay(paying)
    assert refused(alipay(paying, CLOSE, {"trade_no": paid["trade_no"]}))[1] == "ACQ.TRADE_STATUS_ERROR"
    assert alipay_state(paying, paid) == "TRADE_SUCCESS"


def test_time_closes_what_nobody_paid(paying: Stand) -> None:
    at = beijing(timedelta(hours=1))
    trade = created(paying, timeout_express=None, time_expire=at)
    until_then = paying.trades()[trade["out_trade_no"]]["expires_at"]
    assert f"{datetime.fromtimestamp(until_then, ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M:%S}" == at
    let_expire(paying, trade)
    assert alipay_state(paying, trade) == "TRADE_CLOSED"
    assert pay_by_alipay(paying, trade) == "4000"
    books = paying.trades()[trade["out_trade_no"]]
    assert books["closed_at"] == books["expires_at"]


def test_without_a_time_it_lives_fifteen_days(paying: Stand) -> None:
    trade = created(paying, timeout_express=None)
    books = paying.trades()[trade["out_trade_no"]]
    assert books["expires_at"] - books["created_at"] == pytest.approx(15 * 86400, abs=60)
    assert books["created_at"] == pytest.approx(time.time(), abs=60)


def test_a_code_is_no_trade_until_it_is_scanned_and_stays_payable(paying: Stand) -> None:
    code = precreated(paying)
    assert "trade_no" not in code
    assert code["qr_code"].startswith(f"{paying.http.base_url}".rstrip("/") + "/cashier/")
    assert alipay_state(paying, code) == "ACQ.TRADE_NOT_EXIST"
    assert refused(alipay(paying, CLOSE, {"out_trade_no": code["out_trade_no"]}))[1] == "ACQ.TRADE_NOT_EXIST"
    assert paying.trades()[code["out_trade_no"]]["state"] == ""
    assert precreated(paying, out_trade_no=code["out_trade_no"])["qr_code"] == code["qr_code"]
    assert paying.http.get(code["qr_code"]).status_code == 200
    assert alipay_state(paying, code) == "WAIT_BUYER_PAY"
    assert pay_by_alipay(paying, code, "刘洋") == "9000"
    assert alipay_state(paying, code) == "TRADE_SUCCESS"


def test_a_code_that_nobody_scanned_in_time_never_was_a_trade(paying: Stand) -> None:
    code = precreated(paying)
    let_expire(paying, code)
    assert alipay_state(paying, code) == "ACQ.TRADE_NOT_EXIST"
    assert pay_by_alipay(paying, code, "刘洋") == "4000"


def test_what_a_client_is_told(paying: Stand) -> None:
    trade = created(paying)
    assert pay_by_alipay(paying, trade, answer="cancel") == "6001"
    assert alipay_state(paying, trade) == "WAIT_BUYER_PAY"
    assert pay_by_alipay(paying, {"out_trade_no": number()}) == "4000"
    assert pay_by_alipay(paying, trade, answer="unsure") == "6004"
    assert alipay_state(paying, trade) == "TRADE_SUCCESS"
    assert pay_by_alipay(paying, trade) == "4000"
    assert paying.trades()[trade["out_trade_no"]]["paid_fen"] == 8880


def test_another_amount_can_be_paid_where_a_test_asks_for_it(paying: Stand) -> None:
    trade = created(paying)
    assert pay_by_alipay(paying, trade, amount_fen=8000) == "9000"
    assert alipay(paying, QUERY, {"trade_no": trade["trade_no"]})["total_amount"] == "80.00"
    books = paying.trades()[trade["out_trade_no"]]
    assert (books["total_fen"], books["paid_fen"]) == (8880, 8000)


def test_after_a_year_it_is_finished(paying: Stand) -> None:
    trade = paid_by_alipay(paying)
    paying.books("UPDATE trades SET paid_at = paid_at - 31536000 WHERE trade_no = ?", trade["trade_no"])
    assert alipay_state(paying, trade) == "TRADE_FINISHED"
    content = {"trade_no": trade["trade_no"], "refund_amount": "1.00", "out_request_no": "r1"}
    assert refused(alipay(paying, "alipay.trade.refund", content)) == ("40004", "ACQ.TRADE_HAS_FINISHED")
