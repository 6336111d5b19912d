"""支付宝退款: parts, the whole, repetitions, and refunds that take their time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.stand_ins.merchant import (
    alipay,
    alipay_state,
    created,
    forget,
    number,
    paid_by_alipay,
    refused,
    until,
)
from tests.unit.stand_ins.stand import Json, Stand

REFUND, ASK = "alipay.trade.refund", "alipay.trade.fastpay.refund.query"


@pytest.fixture(autouse=True)
def cleared(paying: Stand) -> Iterator[None]:
    yield
    forget(paying)


def refund(stand: Stand, trade: Json, amount: str, request_no: str = "") -> Json:
    content = {"trade_no": trade["trade_no"], "refund_amount": amount, "refund_reason": "退费"}
    return alipay(stand, REFUND, content | ({"out_request_no": request_no} if request_no else {}))


def asked(stand: Stand, trade: Json, request_no: str) -> Json:
    return alipay(stand, ASK, {"out_trade_no": trade["out_trade_no"], "out_request_no": request_no})


def test_parts_and_then_the_rest(paying: Stand) -> None:
    trade = paid_by_alipay(paying)
    first = refund(paying, trade, "8.80", "r1")
    assert (first["code"], first["fund_change"], first["refund_fee"]) == ("10000", "Y", "8.80")
    assert alipay_state(paying, trade) == "TRADE_SUCCESS"
    rest = refund(paying, trade, "80.00", "r2")
    assert (rest["fund_change"], rest["refund_fee"]) == ("Y", "88.80")
    assert alipay_state(paying, trade) == "TRADE_CLOSED"
    found = asked(paying, trade, "r1")
    assert (found["refund_amount"], found["refund_status"]) == ("8.80", "REFUND_SUCCESS")
    assert (found["total_amount"], found["out_request_no"]) == ("88.80", "r1")
    books = paying.trades()[trade["out_trade_no"]]
    assert books["refunded_fen"] == 8880
    assert [(one["out_refund_no"], one["amount_fen"], one["state"]) for one in books["refunds"]] == [
        ("r1", 880, "SUCCESS"),
        ("r2", 8000, "SUCCESS"),
    ]


def test_a_repetition_moves_nothing(paying: Stand) -> None:
    trade = paid_by_alipay(paying)
    refund(paying, trade, "8.80", "r1")
    again = refund(paying, trade, "8.80", "r1")
    assert (again["code"], again["fund_change"], again["refund_fee"]) == ("10000", "N", "8.80")
    assert refused(refund(paying, trade, "8.81", "r1")) == ("40004", "ACQ.DISCORDANT_REPEAT_REQUEST")
    assert paying.trades()[trade["out_trade_no"]]["refunded_fen"] == 880


def test_never_more_than_was_paid(paying: Stand) -> None:
    trade = paid_by_alipay(paying)
    assert refused(refund(paying, trade, "88.81", "r1")) == ("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
    refund(paying, trade, "80.00", "r1")
    assert refused(refund(paying, trade, "8.81", "r2")) == ("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda turn: refund(paying, trade, "8.80", f"same{turn}"), range(8)))
    assert sorted(answer["code"] for answer in answers) == ["10000"] + ["40004"] * 7
    assert paying.trades()[trade["out_trade_no"]]["refunded_fen"] == 8880


def test_the_whole_needs_no_number_and_a_part_does(paying: Stand) -> None:
    trade = paid_by_alipay(paying)
    assert refused(refund(paying, trade, "8.80")) == ("40004", "ACQ.INVALID_PARAMETER")
    assert refund(paying, trade, "88.80")["fund_change"] == "Y"
    assert refund(paying, trade, "88.80")["fund_change"] == "N"


def test_what_is_not_paid_is_not_refunded(paying: Stand) -> None:
    assert refused(refund(paying, created(paying), "1.00", "r1")) == ("40004", "ACQ.TRADE_STATUS_ERROR")


@pytest.mark.parametrize(
    "changed", [{"refund_amount": "0"}, {"refund_amount": "1.234"}, {"out_request_no": "a b"}]
)
def test_parameters_of_a_refund(paying: Stand, changed: Json) -> None:
    trade = paid_by_alipay(paying)
    content = {"trade_no": trade["trade_no"], "refund_amount": "1.00", "out_request_no": "r1", **changed}
    assert refused(alipay(paying, REFUND, content)) == ("40004", "ACQ.INVALID_PARAMETER")
    assert paying.trades()[trade["out_trade_no"]]["refunds"] == []


def test_of_a_refund_that_is_not_there_the_query_says_nothing(paying: Stand) -> None:
    trade = paid_by_alipay(paying)
    assert asked(paying, trade, "none") == {"code": "10000", "msg": "Success"}
    assert refused(asked(paying, {"out_trade_no": number()}, "r1")) == ("40004", "ACQ.TRADE_NOT_EXIST")
    assert refused(alipay(paying, ASK, {"trade_no": trade["trade_no"]})) == ("40004", "ACQ.INVALID_PARAMETER")


def test_a_pending_refund_is_done_later(paying: Stand) -> None:
    trade = paid_by_alipay(paying)
    paying.fault("alipay", REFUND, "pending", seconds=60)
    answer = refund(paying, trade, "8.80", "r1")
    assert (answer["code"], answer["fund_change"], answer["refund_fee"]) == ("10000", "N", "0.00")
    assert asked(paying, trade, "r1") == {"code": "10000", "msg": "Success"}
    assert refused(refund(paying, trade, "88.80", "r2")) == ("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
    paying.books("UPDATE refunds SET settles_at = 0 WHERE state = 'processing'")
    assert asked(paying, trade, "r1")["refund_status"] == "REFUND_SUCCESS"
    assert paying.trades()[trade["out_trade_no"]]["refunded_fen"] == 880


@pytest.mark.parametrize(("kind", "left"), [("closed", "10000"), ("abnormal", "40004")])
def test_a_refund_that_comes_to_nothing(paying: Stand, kind: str, left: str) -> None:
    trade = paid_by_alipay(paying)
    paying.fault("alipay", REFUND, kind)
    assert refund(paying, trade, "88.80", "r1")["fund_change"] == "N"
    books = until(
        lambda: [
            one for one in paying.trades()[trade["out_trade_no"]]["refunds"] if one["state"] == kind.upper()
        ],
        "the end of the refund",
    )
    assert books[0]["amount_fen"] == 8880
    assert asked(paying, trade, "r1") == {"code": "10000", "msg": "Success"}
    assert alipay_state(paying, trade) == "TRADE_SUCCESS"
    assert refund(paying, trade, "88.80", "r2")["code"] == left


def test_a_merchant_without_money(paying: Stand) -> None:
    trade = paid_by_alipay(paying)
    paying.fault("alipay", REFUND, "not_enough")
    assert refused(refund(paying, trade, "8.80", "r1")) == ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH")
    assert refund(paying, trade, "8.80", "r1")["fund_change"] == "Y"
