"""微信支付退款 and the callbacks of payments and refunds, with everything that can be wrong with one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import hashes

from tests.unit.stand_ins.merchant import (
    Receiver,
    forget,
    is_from_wechat,
    number,
    opened,
    paid_by_wechat,
    pay_by_wechat,
    prepaid,
    receiver,
    until,
    wechat,
    wechat_call,
    wechat_query,
    wechat_refund,
)
from tests.unit.stand_ins.stand import Json, Stand


@pytest.fixture(autouse=True)
def cleared(paying: Stand) -> Iterator[None]:
    yield
    forget(paying)


@pytest.fixture
def inbox() -> Iterator[Receiver]:
    with receiver((204, b"")) as found:
        yield found


def asked(stand: Stand, refund: Json, status: int = 200) -> Json:
    return wechat(stand, "GET", f"/v3/refund/domestic/refunds/{refund['out_refund_no']}", None, status)


def test_a_refund_is_accepted_and_then_done(paying: Stand) -> None:
    paid = paid_by_wechat(paying)
    refund = wechat_refund(paying, paid, 880)
    assert (refund["status"], refund["transaction_id"]) == ("PROCESSING", paid["transaction_id"])
    assert (refund["amount"]["refund"], refund["amount"]["total"]) == (880, 8880)
    done = until(lambda: (found := asked(paying, refund))["status"] == "SUCCESS" and found, "the refund")
    assert done["success_time"].endswith("+08:00") and done["refund_id"] == refund["refund_id"]
    assert wechat_query(paying, paid)["trade_state"] == "REFUND"
    books = paying.trades()[paid["out_trade_no"]]
    assert (books["refunded_fen"], books["refunds"][0]["amount_fen"]) == (880, 880)
    assert books["refunds"][0]["refund_no"] == refund["refund_id"]


def test_a_repetition_is_the_same_refund(paying: Stand) -> None:
    paid = paid_by_wechat(paying)
    first = wechat_refund(paying, paid, 880)
    again = wechat_refund(paying, paid, 880, out_refund_no=first["out_refund_no"])
    assert again["refund_id"] == first["refund_id"]
    other = wechat_refund(paying, paid, 881, 400, out_refund_no=first["out_refund_no"])
    assert other["code"] == "INVALID_REQUEST"
    elsewhere = wechat_refund(paying, paid_by_wechat(paying), 880, 400, out_refund_no=first["out_refund_no"])
    assert elsewhere["code"] == "INVALID_REQUEST"
    assert len(paying.trades()[paid["out_trade_no"]]["refunds"]) == 1


def test_never_more_than_was_paid(paying: Stand) -> None:
    paid = paid_by_wechat(paying)
    wechat_refund(paying, paid, 8000)

    def status(_turn: int) -> str:
        content = {
            "out_trade_no": paid["out_trade_no"],
            "out_refund_no": number("R"),
            "amount": {"refund": 880, "total": 8880, "currency": "CNY"},
        }
        answer = wechat_call(paying, "POST", "/v3/refund/domestic/refunds", content).json()
        return str(answer.get("status", answer.get("code")))

    with ThreadPoolExecutor(6) as many:
        assert sorted(many.map(status, range(6))) == ["INVALID_REQUEST"] * 5 + ["PROCESSING"]
    assert sum(one["amount_fen"] for one in paying.trades()[paid["out_trade_no"]]["refunds"]) == 8880


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"out_refund_no": ""}, "PARAM_ERROR"),
        ({"out_refund_no": "有"}, "PARAM_ERROR"),
        ({"amount": {"refund": 880, "total": 8881, "currency": "CNY"}}, "PARAM_ERROR"),
        ({"amount": {"refund": 0, "total": 8880, "currency": "CNY"}}, "PARAM_ERROR"),
        ({"amount": {"refund": 8881, "total": 8880, "currency": "CNY"}}, "INVALID_REQUEST"),
        ({"out_trade_no": None}, "PARAM_ERROR"),
        ({"transaction_id": "1"}, "PARAM_ERROR"),
        ({"notify_url": "x"}, "PARAM_ERROR"),
        ({"reason": "字" * 81}, "PARAM_ERROR"),
    ],
)
def test_parameters_of_a_refund(paying: Stand, changed: Json, code: str) -> None:
    paid = paid_by_wechat(paying)
    assert wechat_refund(paying, paid, 880, 400, **changed)["code"] == code
    assert paying.trades()[paid["out_trade_no"]]["refunds"] == []


def test_what_is_not_there_or_not_paid(paying: Stand) -> None:
    unpaid = prepaid(paying)
    assert wechat_refund(paying, unpaid, 880, 400)["code"] == "INVALID_REQUEST"
    unknown = {**unpaid, "out_trade_no": number()}
    assert wechat_refund(paying, unknown, 880, 404)["code"] == "RESOURCE_NOT_EXISTS"
    assert asked(paying, {"out_refund_no": number()}, 404)["code"] == "RESOURCE_NOT_EXISTS"


def test_after_a_year_nothing_is_refunded(paying: Stand) -> None:
    paid = paid_by_wechat(paying)
    paying.books("UPDATE trades SET paid_at = paid_at - 31536000 WHERE trade_no = ?", paid["transaction_id"])
    assert wechat_refund(paying, paid, 880, 400)["code"] == "INVALID_REQUEST"


def test_a_merchant_without_money(paying: Stand) -> None:
    paid = paid_by_wechat(paying)
    paying.fault("wechatpay", "refund", "not_enough")
    assert wechat_refund(paying, paid, 880, 403)["code"] == "NOT_ENOUGH"
    assert wechat_refund(paying, paid, 880)["status"] == "PROCESSING"


def test_an_abnormal_refund_is_not_the_end(paying: Stand, inbox: Receiver) -> None:
    paid = paid_by_wechat(paying)
    paying.fault("wechatpay", "refund", "abnormal")
    refund = wechat_refund(paying, paid, 8880, notify_url=inbox.url)
    said = json.loads(inbox.wait(1)[0].body)
    assert (said["event_type"], said["summary"]) == ("REFUND.ABNORMAL", "退款异常")
    assert opened(paying, inbox.got[0])["refund_status"] == "ABNORMAL"
    assert asked(paying, refund)["status"] == "ABNORMAL"
    again = wechat_refund(paying, paid, 8880, out_refund_no=refund["out_refund_no"])
    assert again["status"] == "ABNORMAL"
    assert wechat_refund(paying, paid, 1, 400)["code"] == "INVALID_REQUEST"
    fields = {"out_trade_no": paid["out_trade_no"], "out_refund_no": refund["out_refund_no"]}
    assert paying.http.post("/open/wechatpay/refund", json=fields).status_code == 204
    assert opened(paying, inbox.wait(2)[1])["refund_status"] == "SUCCESS"
    assert paying.http.post("/open/wechatpay/refund", json=fields).status_code == 400
    assert paying.trades()[paid["out_trade_no"]]["refunded_fen"] == 8880


def test_a_closed_refund_gives_its_share_free(paying: Stand, inbox: Receiver) -> None:
    paid = paid_by_wechat(paying)
    paying.fault("wechatpay", "refund", "closed")
    refund = wechat_refund(paying, paid, 8880, notify_url=inbox.url)
    assert json.loads(inbox.wait(1)[0].body)["event_type"] == "REFUND.CLOSED"
    assert asked(paying, refund)["status"] == "CLOSED"
    assert wechat_refund(paying, paid, 8880)["status"] == "PROCESSING"


def test_a_payments_callback(paying: Stand, inbox: Receiver) -> None:
    paid = paid_by_wechat(paying, notify_url=inbox.url)
    delivery = inbox.wait(1)[0]
    assert is_from_wechat(paying, delivery.headers, delivery.body)
    said = json.loads(delivery.body)
    assert (said["event_type"], said["resource_type"]) == ("TRANSACTION.SUCCESS", "encrypt-resource")
    assert said["resource"]["original_type"] == "transaction"
    content = opened(paying, delivery)
    assert content["transaction_id"] == paid["transaction_id"]
    assert content["amount"] == {
        "total": 8880,
        "payer_total": 8880,
        "currency": "CNY",
        "payer_currency": "CNY",
    }
    assert (content["appid"], content["mchid"]) == (paid["appid"], paid["mchid"])
    assert (content["trade_state"], content["payer"]) == ("SUCCESS", paid["payer"])


def test_a_refunds_callback(paying: Stand, inbox: Receiver) -> None:
    paid = paid_by_wechat(paying)
    refund = wechat_refund(paying, paid, 880, notify_url=inbox.url)
    delivery = inbox.wait(1)[0]
    assert is_from_wechat(paying, delivery.headers, delivery.body)
    assert json.loads(delivery.body)["event_type"] == "REFUND.SUCCESS"
    content = opened(paying, delivery)
    assert content["amount"] == {"total": 8880, "refund": 880, "payer_total": 8880, "payer_refund": 880}
    assert content["out_refund_no"] == refund["out_refund_no"]


def test_closing_is_not_told(paying: Stand, inbox: Receiver) -> None:
    order = prepaid(paying, notify_url=inbox.url)
    target = f"/v3/pay/transactions/out-trade-no/{order['out_trade_no']}/close"
    wechat(paying, "POST", target, {"mchid": order["mchid"]}, 204)
    assert paying.books("SELECT count(*) FROM notices WHERE url = ?", inbox.url)[0][0] == 0


def test_sixteen_deliveries_and_no_more(paying: Stand) -> None:
    with receiver((500, b"")) as inbox:
        order = prepaid(paying, notify_url=inbox.url)
        assert pay_by_wechat(paying, order) == "requestPayment:ok"
        deliveries = inbox.wait(16)
        assert len({json.loads(delivery.body)["id"] for delivery in deliveries}) == 1
        assert len({delivery.headers["wechatpay-nonce"] for delivery in deliveries}) == 16
        until(
            lambda: paying.books(
                "SELECT 1 FROM notices WHERE url = ? AND tries = 16 AND next_at IS NULL", inbox.url
            ),
            "giving up",
        )


def test_a_callback_can_be_forged(paying: Stand) -> None:
    for kind in ("bad_signature", "sha1_signature"):
        paying.fault("wechatpay", "notify", kind)
        with receiver((401, b""), (200, b"{}")) as inbox:
            paid_by_wechat(paying, notify_url=inbox.url)
            wrong, right = inbox.wait(2)
            assert not is_from_wechat(paying, wrong.headers, wrong.body)
            assert is_from_wechat(paying, wrong.headers, wrong.body, hashes.SHA1()) is (
                kind == "sha1_signature"
            )
            assert is_from_wechat(paying, right.headers, right.body)


def test_a_callback_can_be_stale(paying: Stand) -> None:
    paying.fault("wechatpay", "notify", "stale")
    with receiver((401, b""), (200, b"")) as inbox:
        paid_by_wechat(paying, notify_url=inbox.url)
        wrong, right = inbox.wait(2)
        assert is_from_wechat(paying, wrong.headers, wrong.body)
        assert int(right.headers["wechatpay-timestamp"]) - int(wrong.headers["wechatpay-timestamp"]) >= 600


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [("wrong_app", "appid", "wx0000000000000000"), ("wrong_seller", "mchid", "1600000000")],
)
def test_a_callback_can_say_what_is_not_so(paying: Stand, kind: str, name: str, value: str) -> None:
    paying.fault("wechatpay", "notify", kind)
    with receiver((400, b""), (200, b"")) as inbox:
        paid_by_wechat(paying, notify_url=inbox.url)
        wrong, right = (opened(paying, delivery) for delivery in inbox.wait(2))
        assert wrong[name] == value != right[name]


def test_a_callback_can_name_another_amount(paying: Stand, inbox: Receiver) -> None:
    paying.fault("wechatpay", "notify", "wrong_amount", times=2)
    paid = paid_by_wechat(paying, notify_url=inbox.url)
    assert opened(paying, inbox.wait(1)[0])["amount"]["total"] == 8881
    wechat_refund(paying, paid, 880, notify_url=inbox.url)
    assert opened(paying, inbox.wait(2)[1])["amount"]["refund"] == 881
