"""WeChat Pay's notifications as our gateway reads them, and the words that its answers and refusals are told in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from domains.platforms.calling import NotSent, OutcomeUnknown
from payments.gateways import Declined, Notice, RefundAsk, RefundSighting, Refused, Sighting
from payments.gateways.wechat import WeChatGateway
from tests.factories.merchants import asked, back, back_of, wechat_of
from tests.factories.platforms import (
    API_V3_KEY,
    KEY_ID,
    MERCHANT,
    PLATFORM,
    Answer,
    public_pem,
    wechat_pay,
    wechat_pay_answer,
    wechat_pay_headers,
    wechat_pay_notice,
)
from tests.unit.stand_ins.merchant import Delivery, Receiver, openid, receiver
from tests.unit.stand_ins.stand import Stand

APP_ID = "wx0000000000000001"
REFUND = RefundAsk("N12345", "4200", "R12345", 100, 500, "退款")


@pytest.fixture
def ours(calm: None) -> Iterator[Receiver]:
    """Where notifications come to; everything is taken."""
    with receiver((204, b"")) as started:
        yield started


@pytest.fixture
async def gateway(stand: Stand, http: httpx.AsyncClient, ours: Receiver) -> AsyncIterator[WeChatGateway]:
    yield wechat_of(stand, http, ours.url)


async def bought(stand: Stand, gateway: WeChatGateway) -> Sighting:
    """An order of 88.81 yuan that a person paid in the mini-program."""
    ask = asked(openid(stand, "陈静"))
    await gateway.create(ask)
    given = await gateway.create(ask)
    prepay_id = given["package"].removeprefix("prepay_id=")
    assert (
        stand.open("wechat/pay", prepay_id=prepay_id, person="陈静", **given)["errMsg"] == "requestPayment:ok"
    )
    return await gateway.query(ask.out_trade_no)


async def arrived(ours: Receiver, count: int = 1) -> Delivery:
    """The last of so many notifications."""
    return (await asyncio.to_thread(ours.wait, count))[count - 1]


async def test_a_payment_is_told_as_a_query_tells_it(
    stand: Stand, gateway: WeChatGateway, ours: Receiver
) -> None:
    order = await bought(stand, gateway)
    told = await arrived(ours)
    notice = gateway.read(told.headers, told.body)
    about = notice.about
    assert isinstance(about, Sighting)
    assert (about.state, about.out_trade_no, about.amount_fen) == ("paid", order.out_trade_no, 8_881)
    assert (about.channel_no, about.paid_at, about.body) == (order.channel_no, order.paid_at, told.body)
    assert notice.external_id == json.loads(told.body)["id"]


async def test_a_repetition_has_the_same_id(stand: Stand, gateway: WeChatGateway, ours: Receiver) -> None:
    ours.answers[:] = [(500, gateway.reply(taken=False).body), (204, b"")]
    await bought(stand, gateway)
    await arrived(ours, 2)
    ids = {gateway.read(each.headers, each.body).external_id for each in ours.got}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("fault", "state"), [("", "succeeded"), ("abnormal", "abnormal"), ("closed", "closed")]
)
async def test_what_became_of_a_refund_is_told(
    stand: Stand, gateway: WeChatGateway, ours: Receiver, fault: str, state: str
) -> None:
    order = await bought(stand, gateway)
    if fault:
        stand.fault("wechatpay", "refund", fault)
    ask = back(order, 881)
    await gateway.refund(ask)
    told = await arrived(ours, 2)
    about = gateway.read(told.headers, told.body).about
    assert isinstance(about, RefundSighting)
    assert (about.out_trade_no, about.out_refund_no) == (order.out_trade_no, ask.out_refund_no)
    assert (about.state, about.amount_fen, about.given_back_fen) == (state, 881, 0)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("bad_signature", "signature"),
        ("sha1_signature", "signature"),
        ("stale", "stale"),
        ("wrong_app", "not for us"),
        ("wrong_seller", "not for us"),
    ],
)
async def test_what_is_not_genuine_or_not_for_us_is_refused(
    stand: Stand, gateway: WeChatGateway, ours: Receiver, fault: str, reason: str
) -> None:
    stand.fault("wechatpay", "notify", fault)
    order = await bought(stand, gateway)
    told = await arrived(ours)
    with pytest.raises(Refused) as refusal:
        gateway.read(told.headers, told.body)
    number = order.out_trade_no if reason == "not for us" else ""
    assert (refusal.value.reason, refusal.value.out_trade_no) == (reason, number)


async def test_another_amount_is_told_as_it_is(stand: Stand, gateway: WeChatGateway, ours: Receiver) -> None:
    stand.fault("wechatpay", "notify", "wrong_amount")
    await bought(stand, gateway)
    told = await arrived(ours)
    about = gateway.read(told.headers, told.body).about
    assert about.amount_fen == 8_882


def here(answer: Answer | None = None, **keys: Any) -> WeChatGateway:
    """A gateway over an answer that the test makes up."""
    pay = wechat_pay(answer or wechat_pay_answer({}), **keys)
    return WeChatGateway(pay, app_id=APP_ID, notify_url="https://l.cn/n", return_url=back_of)


def transaction(**changed: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "appid": APP_ID, "mchid": MERCHANT, "out_trade_no": "N12345", "trade_state": "SUCCESS",
        "transaction_id": "4200", "success_time": "2026-11-21T15:01:00+08:00",
        "amount": {"total": 500, "payer_total": 500, "currency": "CNY", "payer_currency": "CNY"},
    }  # fmt: skip
    return {name: value for name, value in (fields | changed).items() if value is not None}


def refunded(**changed: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "mchid": MERCHANT, "out_trade_no": "N12345", "transaction_id": "4200", "out_refund_no": "R12345",
        "refund_id": "5030", "refund_status": "SUCCESS", "status": "SUCCESS", "amount": {"total": 500, "refund": 100},
    }  # fmt: skip
    return {name: value for name, value in (fields | changed).items() if value is not None}


def read(gateway: WeChatGateway, body: bytes, **changed: str) -> Notice:
    return gateway.read({**wechat_pay_headers(body), **changed}, body)


def test_what_comes_is_read_by_its_event() -> None:
    assert read(here(), wechat_pay_notice("TRANSACTION.SUCCESS", transaction())).external_id == "N1"
    assert read(here(), wechat_pay_notice("REFUND.SUCCESS", refunded())).about.amount_fen == 100


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b"<xml/>", "malformed"),
        (b'{"id":"1","event_type":"TRANSACTION.SUCCESS"}', "malformed"),
        (b'{"id":"1","event_type":"TRANSACTION.SUCCESS","resource":"x"}', "malformed"),
        (b'{"id":"1","event_type":"TRANSACTION.SUCCESS","resource":{"ciphertext":"!","nonce":"n"}}', "malformed"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", [1]), "malformed"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(), "z" * 32), "sealed"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(mchid="1600000002")), "not for us"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(appid="wx1")), "not for us"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(appid=None)), "not for us"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(success_time=None)), "malformed"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(success_time="2026-11-21T15:01:00")), "malformed"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(transaction_id="")), "malformed"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(amount={"total": 5.0})), "malformed"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(amount={"total": "500"})), "malformed"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(amount={"total": True})), "malformed"),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(amount={"total": -5})), "malformed"),
        (
            wechat_pay_notice("TRANSACTION.SUCCESS", transaction(amount={"total": 500, "currency": "USD"})),
            "malformed",
        ),
        (wechat_pay_notice("TRANSACTION.SUCCESS", transaction(trade_state="NEW")), "malformed"),
        (wechat_pay_notice("REFUND.SUCCESS", refunded(mchid="1600000002")), "not for us"),
        (wechat_pay_notice("REFUND.SUCCESS", refunded(refund_status="NEW")), "malformed"),
        (wechat_pay_notice("REFUND.SUCCESS", refunded(out_refund_no=None)), "malformed"),
        (wechat_pay_notice("COUPON.USE", transaction()), "unknown event"),
    ],
)  # fmt: skip
def test_what_is_signed_and_all_the_same_not_believed(body: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        read(here(), body)
    assert refusal.value.reason == reason


def test_a_signature_is_on_the_bytes_as_they_came() -> None:
    body = wechat_pay_notice("TRANSACTION.SUCCESS", transaction())
    stranger = rsa.generate_private_key(65537, 2048)
    for headers, reason in (
        ({}, "unsigned"),
        ({**wechat_pay_headers(body), "wechatpay-serial": "PUB_KEY_ID_OLD"}, "unknown key"),
        (wechat_pay_headers(body, late_s=301), "stale"),
        (wechat_pay_headers(body + b"\n"), "signature"),
        (wechat_pay_headers(body, key=stranger), "signature"),
        (wechat_pay_headers(body, digest=hashes.SHA1()), "signature"),
    ):
        with pytest.raises(Refused) as refusal:
            here().read(headers, body)
        assert (refusal.value.reason, refusal.value.out_trade_no) == (reason, "")
    both = {"PUB_KEY_ID_OLD": public_pem(stranger), KEY_ID: public_pem(PLATFORM)}
    assert read(here(public_keys=both), body).external_id == "N1"
    assert len(API_V3_KEY) == 32


def test_what_the_platform_wants_to_hear() -> None:
    taken, again = here().reply(taken=True), here().reply(taken=False)
    assert (taken.status, taken.body) == (204, b"")
    assert again.status == 400 and json.loads(again.body)["code"] == "FAIL"


@pytest.mark.parametrize(
    ("code", "status", "failure"),
    [
        ("PARAM_ERROR", 400, Declined),
        ("INVALID_REQUEST", 400, Declined),
        ("APPID_MCHID_NOT_MATCH", 400, Declined),
        ("MCH_NOT_EXISTS", 400, Declined),
        ("NO_AUTH", 403, Declined),
        ("NOT_ENOUGH", 403, Declined),
        ("USER_ACCOUNT_ABNORMAL", 403, Declined),
        ("RULE_LIMIT", 403, Declined),
        ("RESOURCE_NOT_EXISTS", 404, Declined),
        ("OPENID_MISMATCH", 500, Declined),
        ("A_NEW_ONE", 403, Declined),
        ("", 400, Declined),
        ("SYSTEM_ERROR", 500, OutcomeUnknown),
        ("BANK_ERROR", 500, OutcomeUnknown),
        ("A_NEW_ONE", 503, OutcomeUnknown),
        ("SIGN_ERROR", 401, NotSent),
        ("FREQUENCY_LIMITED", 429, NotSent),
    ],
)
async def test_each_refusal_means_one_thing(code: str, status: int, failure: type[Exception]) -> None:
    gateway = here(wechat_pay_answer({"code": code, "message": "无"}, status))
    with pytest.raises(failure):
        await gateway.refund(REFUND)


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        ("SUCCESS", "paid"), ("REFUND", "paid"), ("NOTPAY", "waiting"), ("USERPAYING", "waiting"),
        ("PAYERROR", "waiting"), ("CLOSED", "closed"), ("REVOKED", "closed"),
    ],
)  # fmt: skip
async def test_each_state_of_an_order_means_one_thing(state: str, seen: str) -> None:
    gateway = here(wechat_pay_answer(transaction(trade_state=state)))
    assert (await gateway.query("N12345")).state == seen


@pytest.mark.parametrize(
    "answer",
    [
        transaction(out_trade_no="N99999"),
        transaction(mchid="1600000002"),
        transaction(appid="wx1"),
        transaction(trade_state="NEW"),
        transaction(trade_state=None),
        transaction(amount={"total": 500, "currency": "HKD"}),
        transaction(amount=None),
        transaction(success_time="soon"),
        {},
    ],
)
async def test_an_answer_about_something_else_is_not_believed(answer: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        await here(wechat_pay_answer(answer)).query("N12345")


@pytest.mark.parametrize(
    "answer",
    [
        refunded(out_refund_no="R99999"),
        refunded(transaction_id="4299"),
        refunded(status="NEW"),
        refunded(amount={"refund": "100"}),
        refunded(refund_id=None),
        {},
    ],
)
async def test_an_answer_about_another_refund_is_not_believed(answer: dict[str, Any]) -> None:
    for call in (here(wechat_pay_answer(answer)).refund, here(wechat_pay_answer(answer)).query_refund):
        with pytest.raises(OutcomeUnknown):
            await call(REFUND)


@pytest.mark.parametrize("product", ["mini_program", "qr", "h5"])
async def test_an_answer_without_what_the_client_needs_tells_nothing(product: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        await here(wechat_pay_answer({"prepay_id": ""})).create(asked("o", product))


async def test_a_page_that_has_a_query_keeps_it() -> None:
    ask = asked(product="h5")
    made = await here(wechat_pay_answer({"h5_url": "https://wx.cn/m?prepay_id=1&package=2"})).create(ask)
    back = quote(back_of(ask.payment_id), safe="")
    assert made == {"url": f"https://wx.cn/m?prepay_id=1&package=2&redirect_url={back}"}


async def test_closing_that_is_refused_for_another_reason_is_told() -> None:
    with pytest.raises(Declined, match="NO_AUTH"):
        await here(wechat_pay_answer({"code": "NO_AUTH"}, 403)).close("N12345")
    assert await here(wechat_pay_answer({"code": "USERPAYING"}, 400)).close("N12345") is False
