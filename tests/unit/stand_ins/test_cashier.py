"""收银台: the pages a person sees, what they do there, and the way back to the merchant."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.unit.stand_ins.merchant import (
    alipay,
    alipay_state,
    browser_order,
    client_parameters,
    created,
    holds,
    number,
    prepaid,
    wechat,
    wechat_query,
)
from tests.unit.stand_ins.stand import Json, Stand, alipay_params, rsa_sign

NASTY = "<script>alert(1)</script>"
RETURN = "https://linli.example/paid?from=alipay"


def page_address(stand: Stand, content: str, **changed: str) -> dict[str, str]:
    """alipay.trade.wap.pay as the merchant signs it for a browser."""
    params = alipay_params(
        stand, method="alipay.trade.wap.pay", grant_type="", biz_content=content, return_url=RETURN, **changed
    )
    covered = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    return {**params, "sign": rsa_sign(stand.app_key, covered)}


def wap_content(out_trade_no: str, subject: str = "物业费", **changed: str) -> str:
    fields = {
        "out_trade_no": out_trade_no,
        "total_amount": "88.80",
        "subject": subject,
        "product_code": "QUICK_WAP_WAY",
        **changed,
    }
    return json.dumps(fields, ensure_ascii=False)


def submit(stand: Stand, address: str, **form: str) -> httpx.Response:
    return stand.http.post(address, data=form)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_browser_pays_and_comes_back(paying: Stand, method: str) -> None:
    trade = {"out_trade_no": number()}
    params = page_address(paying, wap_content(trade["out_trade_no"]))
    assert alipay_state(paying, trade) == "ACQ.TRADE_NOT_EXIST"
    carried = {"params": params} if method == "GET" else {"data": params}
    led = paying.http.request(method, "/gateway.do", **carried)  # type: ignore[arg-type]
    assert led.status_code == 302
    assert alipay_state(paying, trade) == "WAIT_BUYER_PAY"
    page = paying.http.get(led.headers["location"])
    assert page.status_code == 200
    for shown in (
        "¥88.80",
        "物业费",
        trade["out_trade_no"],
        "支付</button>",
        "取消</button>",
        'name="person"',
    ):
        assert shown in page.text
    back = submit(paying, led.headers["location"], answer="pay", person="刘洋")
    assert back.status_code == 303
    assert alipay_state(paying, trade) == "TRADE_SUCCESS"
    assert paying.trades()[trade["out_trade_no"]]["payer"] == "刘洋"
    fields = dict(parse_qsl(urlsplit(back.headers["location"]).query))
    assert back.headers["location"].startswith(RETURN + "&") and fields["total_amount"] == "88.80"
    assert (fields["method"], fields["out_trade_no"]) == (
        "alipay.trade.wap.pay.return",
        trade["out_trade_no"],
    )
    told = {name: value for name, value in fields.items() if name not in ("from", "sign", "sign_type")}
    text = "&".join(f"{name}={value}" for name, value in sorted(told.items()))
    assert holds(paying.credentials["alipay"]["alipay_public_key"], text.encode(), fields["sign"])


def test_a_page_that_nobody_signed_creates_nothing(paying: Stand) -> None:
    trade = {"out_trade_no": number()}
    params = page_address(paying, wap_content(trade["out_trade_no"]))
    params["biz_content"] = wap_content(trade["out_trade_no"], total_amount="0.01")
    answer = paying.http.get("/gateway.do", params=params)
    assert answer.status_code == 400 and "isv.invalid-signature" in answer.text
    assert trade["out_trade_no"] not in paying.trades()


def test_a_refused_page_says_why(paying: Stand) -> None:
    params = page_address(paying, wap_content(number(), product_code="JSAPI_PAY"))
    answer = paying.http.get("/gateway.do", params=params)
    assert answer.status_code == 400 and "ACQ.ACCESS_FORBIDDEN" in answer.text


def test_what_a_merchant_writes_is_text(paying: Stand) -> None:
    params = page_address(paying, wap_content(number(), NASTY))
    page = paying.http.get("/gateway.do", params=params, follow_redirects=True)
    assert page.status_code == 200
    assert NASTY not in page.text and "&lt;script&gt;" in page.text


def test_a_person_turns_away(paying: Stand) -> None:
    trade = created(paying)
    address = f"/cashier/{trade['trade_no']}"
    page = paying.http.get(address)
    assert "陈静" in page.text and 'name="person"' not in page.text
    cancelled = submit(paying, address, answer="cancel")
    assert (cancelled.status_code, "已取消支付" in cancelled.text) == (200, True)
    assert alipay_state(paying, trade) == "WAIT_BUYER_PAY"
    done = submit(paying, address, answer="pay")
    assert (done.status_code, "支付成功" in done.text) == (200, True)
    assert alipay_state(paying, trade) == "TRADE_SUCCESS"
    assert "请勿重复付款" in submit(paying, address, answer="pay").text
    assert "请勿重复付款" in paying.http.get(address).text


def test_pages_that_lead_nowhere(paying: Stand) -> None:
    assert paying.http.get("/cashier/nothing").status_code == 404
    assert submit(paying, "/cashier/nothing", answer="pay").status_code == 404
    trade = created(paying)
    alipay(paying, "alipay.trade.close", {"trade_no": trade["trade_no"]})
    assert "订单已关闭" in paying.http.get(f"/cashier/{trade['trade_no']}").text


def test_wechats_page_opens_with_what_the_client_was_given(paying: Stand) -> None:
    order = prepaid(paying)
    address = f"/cashier/{order['prepay_id']}"
    assert "支付验证签名失败" in paying.http.get(address).text
    assert "支付验证签名失败" in submit(paying, address, answer="pay").text
    given = client_parameters(paying, order["prepay_id"])
    assert "¥88.80" in paying.http.get(address, params=given).text
    assert "支付成功" in paying.http.post(address, params=given, data={"answer": "pay"}).text
    assert wechat_query(paying, order)["trade_state"] == "SUCCESS"


@pytest.mark.parametrize(
    ("back", "followed"),
    [("https://linli.example/paid", True), ("javascript:alert(1)", False), ("//x", False)],
)
def test_wechats_way_back(paying: Stand, back: str, followed: bool) -> None:
    order = browser_order(paying)
    address = wechat(paying, "POST", "/v3/pay/transactions/h5", order)["h5_url"]
    where: Json = {"redirect_url": back}
    cancelled = paying.http.post(address, params=where, data={"answer": "cancel"})
    assert ("返回商家" in cancelled.text) is followed
    done = paying.http.post(address, params=where, data={"answer": "pay", "person": ""})
    assert done.headers.get("location") == (back if followed else None)
    assert wechat_query(paying, order)["trade_state"] == "SUCCESS"
    assert paying.trades()[order["out_trade_no"]]["payer"] == "访客"
