"""微信支付 APIv3: who may call, ordering, asking and closing, and the client's signature."""

from __future__ import annotations

import json
import time

import pytest

from tests.unit.stand_ins.merchant import (
    authorization,
    browser_order,
    client_parameters,
    is_from_wechat,
    openid,
    paid_by_wechat,
    pay_by_wechat,
    prepaid,
    wechat,
    wechat_call,
    wechat_order,
    wechat_query,
)
from tests.unit.stand_ins.stand import Json, Stand

JSAPI = "/v3/pay/transactions/jsapi"


def close(stand: Stand, order: Json, status: int = 204) -> Json:
    target = f"/v3/pay/transactions/out-trade-no/{order['out_trade_no']}/close"
    return wechat(stand, "POST", target, {"mchid": stand.credentials["wechatpay"]["mchid"]}, status)


def order_refused(stand: Stand, status: int, person: str = "陈静", **changed: object) -> str:
    order = wechat_order(stand, person, **changed)
    return str(wechat(stand, "POST", JSAPI, order, status)["code"])


def test_an_order_is_made_asked_about_and_paid(paying: Stand) -> None:
    order = prepaid(paying, attach="房号 1-101")
    assert order["prepay_id"].startswith("wx")
    unpaid = wechat_query(paying, order)
    assert (unpaid["trade_state"], unpaid["amount"]["total"]) == ("NOTPAY", 8880)
    assert "transaction_id" not in unpaid
    assert pay_by_wechat(paying, order) == "requestPayment:ok"
    paid = wechat_query(paying, order)
    assert (paid["trade_state"], paid["trade_type"], paid["bank_type"]) == ("SUCCESS", "JSAPI", "OTHERS")
    assert paid["amount"] == {"total": 8880, "payer_total": 8880, "currency": "CNY", "payer_currency": "CNY"}
    assert paid["payer"] == {"openid": order["payer"]["openid"]}
    assert (paid["attach"], paid["out_trade_no"]) == ("房号 1-101", order["out_trade_no"])
    assert paid["success_time"].endswith("+08:00")
    mchid = paying.credentials["wechatpay"]["mchid"]
    target = f"/v3/pay/transactions/id/{paid['transaction_id']}?mchid={mchid}"
    assert wechat(paying, "GET", target) == paid
    books = paying.trades()[order["out_trade_no"]]
    assert (books["platform"], books["state"], books["paid_fen"]) == ("wechatpay", "SUCCESS", 8880)


def test_the_same_order_again_is_the_same_prepay(paying: Stand) -> None:
    order = prepaid(paying)
    again = prepaid(paying, out_trade_no=order["out_trade_no"])
    assert again["prepay_id"] == order["prepay_id"]
    paying.books("UPDATE trades SET prepaid_at = prepaid_at - 7200 WHERE token = ?", order["prepay_id"])
    assert pay_by_wechat(paying, order).startswith("requestPayment:fail 支付页面已过期")
    renewed = prepaid(paying, out_trade_no=order["out_trade_no"])
    assert renewed["prepay_id"] != order["prepay_id"]
    assert pay_by_wechat(paying, order).startswith("requestPayment:fail")
    assert pay_by_wechat(paying, renewed) == "requestPayment:ok"


def test_another_order_of_the_same_number_is_refused(paying: Stand) -> None:
    number = prepaid(paying)["out_trade_no"]
    for changed in ({"amount": {"total": 1}}, {"description": "停车费"}):
        assert order_refused(paying, 400, out_trade_no=number, **changed) == "INVALID_REQUEST"
    assert order_refused(paying, 400, "刘洋", out_trade_no=number) == "INVALID_REQUEST"
    order = wechat_order(paying, out_trade_no=number, payer=None)
    assert wechat(paying, "POST", "/v3/pay/transactions/native", order, 403)["code"] == "OUT_TRADE_NO_USED"


def test_an_order_that_is_over(paying: Stand) -> None:
    paid, closed = paid_by_wechat(paying), prepaid(paying)
    assert close(paying, paid, 400)["code"] == "ORDERPAID"
    assert order_refused(paying, 400, out_trade_no=paid["out_trade_no"]) == "ORDERPAID"
    assert close(paying, closed) == {}
    assert wechat_query(paying, closed)["trade_state"] == "CLOSED"
    assert close(paying, closed, 400)["code"] == "ORDER_CLOSED"
    assert order_refused(paying, 400, out_trade_no=closed["out_trade_no"]) == "ORDER_CLOSED"
    assert pay_by_wechat(paying, closed) == "requestPayment:fail 订单已关闭，请返回商家重新下单。"
    assert pay_by_wechat(paying, paid) == "requestPayment:fail 订单已经支付，请勿重复付款。"
    assert wechat_query(paying, paid)["trade_state"] == "SUCCESS"


@pytest.mark.parametrize(
    "changed",
    [
        {"out_trade_no": "12345"},
        {"out_trade_no": "x" * 33},
        {"out_trade_no": "有有有有有有"},
        {"description": None},
        {"amount": None},
        {"amount": {"total": 0}},
        {"amount": {"total": "100"}},
        {"amount": {"total": 1.5}},
        {"amount": {"total": True}},
        {"amount": {"total": 100, "currency": "USD"}},
        {"payer": None},
        {"payer": {"openid": "nobody"}},
        {"notify_url": None},
        {"notify_url": "ftp://x/"},
        {"notify_url": "http://x/?a=1"},
        {"time_expire": "soon"},
        {"time_expire": "2020-01-01T00:00:00+08:00"},
        {"time_expire": "2999-01-01T00:00:00+08:00"},
        {"time_expire": "2999-01-01T00:00:00"},
    ],
)
def test_a_parameter_that_is_not_as_it_should_be(paying: Stand, changed: Json) -> None:
    before = len(paying.trades())
    assert order_refused(paying, 400, **changed) == "PARAM_ERROR"
    assert len(paying.trades()) == before


def test_length_is_counted_in_bytes(paying: Stand) -> None:
    """126 bytes are 42 characters of Chinese, and one more is too many."""
    assert prepaid(paying, description="字" * 42)["prepay_id"]
    assert order_refused(paying, 400, description="字" * 43) == "PARAM_ERROR"


def test_app_and_merchant_must_match(paying: Stand) -> None:
    assert order_refused(paying, 400, appid="wx0000000000000000") == "APPID_MCHID_NOT_MATCH"
    assert order_refused(paying, 400, mchid="1600000000") == "APPID_MCHID_NOT_MATCH"


def test_what_nobody_ordered_is_not_there(paying: Stand) -> None:
    unknown = {"out_trade_no": "nothing-here"}
    assert wechat_query(paying, unknown, 404)["code"] == "ORDER_NOT_EXIST"
    assert close(paying, unknown, 404)["code"] == "ORDER_NOT_EXIST"
    order = prepaid(paying)
    target = f"/v3/pay/transactions/out-trade-no/{order['out_trade_no']}"
    assert wechat(paying, "GET", f"{target}?mchid=1600000000", None, 400)["code"] == "PARAM_ERROR"
    assert wechat(paying, "POST", f"{target}/close", {"mchid": "1600000000"}, 400)["code"] == "PARAM_ERROR"
    assert wechat(paying, "POST", f"{target}/close", [], 400)["code"] == "PARAM_ERROR"


@pytest.mark.parametrize(
    "changed",
    [
        {"mchid": "1600000000"},
        {"serial_no": "0" * 40},
        {"signature": "AAAA"},
        {"timestamp": str(int(time.time()) - 400)},
        {"timestamp": str(int(time.time()) + 4000)},
        {"timestamp": "now"},
        {"nonce_str": ""},
    ],
)
def test_a_call_that_nobody_signed(paying: Stand, changed: dict[str, str]) -> None:
    before = len(paying.trades())
    answer = wechat_call(paying, "POST", JSAPI, wechat_order(paying), **changed)
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    assert is_from_wechat(paying, dict(answer.headers), answer.content)
    assert len(paying.trades()) == before


def test_a_signature_is_for_one_request(paying: Stand) -> None:
    order = wechat_order(paying)
    body = json.dumps(order).encode()
    headers = {"Authorization": authorization(paying, "POST", JSAPI, body)}
    assert paying.http.post(JSAPI, content=body, headers=headers).status_code == 200
    replayed = paying.http.post(JSAPI, content=body, headers=headers)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "SIGN_ERROR")
    more = json.dumps({**order, "amount": {"total": 1}}).encode()
    headers = {"Authorization": authorization(paying, "POST", JSAPI, body)}
    assert paying.http.post(JSAPI, content=more, headers=headers).status_code == 401
    elsewhere = paying.http.post("/v3/pay/transactions/native", content=body, headers=headers)
    assert elsewhere.status_code == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer x", "WECHATPAY2-SHA256-RSA2048", 'WECHATPAY2-SHA256-RSA2048 mchid="1"']
)
def test_an_authorization_of_another_kind(paying: Stand, header: str) -> None:
    answer = paying.http.post(JSAPI, content=b"{}", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")


def test_headers_that_the_platform_insists_on(paying: Stand) -> None:
    headers = {"Authorization": authorization(paying, "POST", JSAPI, b"{}"), "Accept": "text/html"}
    answer = paying.http.post(JSAPI, content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


@pytest.mark.parametrize(
    "fields", [{"serial_no": "x", "public_key": ""}, {"serial_no": "0" * 40, "public_key": "x"}, {}]
)
def test_a_merchants_key_that_is_none(paying: Stand, fields: Json) -> None:
    assert paying.http.post("/open/wechatpay/merchant-key", json=fields).status_code == 400
    assert prepaid(paying)["prepay_id"]


@pytest.mark.parametrize(
    "changed",
    [
        {"paySign": "AAAA"},
        {"nonceStr": "other"},
        {"timeStamp": "1"},
        {"signType": "MD5"},
        {"package": "prepay_id=wx0"},
        {"package": ""},
    ],
)
def test_the_client_looks_at_its_parameters(paying: Stand, changed: dict[str, str]) -> None:
    order = prepaid(paying)
    assert pay_by_wechat(paying, order, **changed) == "requestPayment:fail 支付验证签名失败，请联系商家。"
    assert wechat_query(paying, order)["trade_state"] == "NOTPAY"


def test_what_a_client_is_told(paying: Stand) -> None:
    order = prepaid(paying)
    assert pay_by_wechat(paying, order, "刘洋").startswith("requestPayment:fail 这笔订单只能由下单的人支付")
    assert pay_by_wechat(paying, order, answer="cancel") == "requestPayment:fail cancel"
    assert wechat_query(paying, order)["trade_state"] == "NOTPAY"
    assert pay_by_wechat(paying, order, answer="unsure") == "requestPayment:fail"
    assert wechat_query(paying, order)["trade_state"] == "SUCCESS"
    assert pay_by_wechat(paying, {"prepay_id": "wx0"}).startswith("requestPayment:fail 订单不存在")


def test_a_code_and_a_browser_may_be_paid_by_anybody(paying: Stand) -> None:
    for path, name, kind in (("native", "code_url", "NATIVE"), ("h5", "h5_url", "MWEB")):
        order = browser_order(paying)
        address = wechat(paying, "POST", f"/v3/pay/transactions/{path}", order)[name]
        assert paying.http.get(address).status_code == 200
        fields = {"out_trade_no": order["out_trade_no"], "person": "刘洋"}
        assert paying.open("wechat/pay", **fields)["errMsg"] == "requestPayment:ok"
        paid = wechat_query(paying, order)
        assert (paid["trade_state"], paid["trade_type"]) == ("SUCCESS", kind)
        assert paid["payer"]["openid"] == openid(paying, "刘洋")


@pytest.mark.parametrize(
    "scene", [None, {}, {"payer_client_ip": "203.0.113.7"}, {"h5_info": {"type": "Wap"}}]
)
def test_a_browsers_order_names_its_scene(paying: Stand, scene: Json | None) -> None:
    order = wechat_order(paying, payer=None, scene_info=scene)
    assert wechat(paying, "POST", "/v3/pay/transactions/h5", order, 400)["code"] == "PARAM_ERROR"


def test_time_closes_what_nobody_paid(paying: Stand) -> None:
    order = prepaid(paying, time_expire=None)
    books = paying.trades()[order["out_trade_no"]]
    assert books["expires_at"] - books["created_at"] == pytest.approx(7 * 86400, abs=60)
    paying.books("UPDATE trades SET expires_at = 0 WHERE token = ?", order["prepay_id"])
    assert wechat_query(paying, order)["trade_state"] == "CLOSED"
    assert pay_by_wechat(paying, order) == "requestPayment:fail 订单已关闭，请返回商家重新下单。"
    assert client_parameters(paying, order["prepay_id"])["signType"] == "RSA"
