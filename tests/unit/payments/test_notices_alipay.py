"""Alipay's notifications as our gateway reads them, and the words that its answers and refusals are told in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives import hashes

from domains.kernel import clock
from domains.platforms.calling import NotSent, OutcomeUnknown
from payments.gateways import Declined, RefundAsk, RefundSighting, Refused, Sighting
from payments.gateways.alipay import AlipayGateway
from tests.factories.merchants import alipay_of, asked, back, back_of
from tests.factories.platforms import Answer, alipay, alipay_sign, alipay_wire
from tests.unit.stand_ins.merchant import Delivery, Receiver, alipay_buyer, receiver
from tests.unit.stand_ins.stand import Stand

SELLER = "2088000000000001"
REFUND = RefundAsk("N1", "2200", "R1", 100, 500, "退款")


@pytest.fixture
def ours(calm: None) -> Iterator[Receiver]:
    """Where notifications come to; everything is taken."""
    with receiver() as started:
        yield started


@pytest.fixture
async def gateway(stand: Stand, http: httpx.AsyncClient, ours: Receiver) -> AsyncIterator[AlipayGateway]:
    yield alipay_of(stand, http, ours.url)


async def bought(stand: Stand, gateway: AlipayGateway) -> Sighting:
    """A trade of 88.81 yuan that a person paid in the mini-program."""
    ask = asked(str(alipay_buyer(stand, "陈静")["open_id"]))
    trade_no = (await gateway.create(ask))["tradeNO"]
    assert stand.open("alipay/pay", trade_no=trade_no, person="陈静")["resultCode"] == "9000"
    return await gateway.query(ask.out_trade_no)


async def arrived(ours: Receiver, count: int = 1) -> Delivery:
    """The last of so many notifications."""
    return (await asyncio.to_thread(ours.wait, count))[count - 1]


async def test_a_payment_is_told_as_a_query_tells_it(
    stand: Stand, gateway: AlipayGateway, ours: Receiver
) -> None:
    trade = await bought(stand, gateway)
    told = await arrived(ours)
    notice = gateway.read(told.headers, told.body)
    about = notice.about
    assert isinstance(about, Sighting)
    assert (about.state, about.out_trade_no, about.amount_fen) == ("paid", trade.out_trade_no, 8_881)
    assert (about.channel_no, about.paid_at, about.body) == (trade.channel_no, trade.paid_at, told.body)
    assert notice.external_id == told.form["notify_id"]


async def test_a_repetition_has_the_same_id(stand: Stand, gateway: AlipayGateway, ours: Receiver) -> None:
    ours.answers[:] = [(200, gateway.reply(taken=False).body), (200, gateway.reply(taken=True).body)]
    await bought(stand, gateway)
    await arrived(ours, 2)
    assert len({gateway.read(each.headers, each.body).external_id for each in ours.got}) == 1


async def test_a_refund_is_told_by_all_that_went_back(
    stand: Stand, gateway: AlipayGateway, ours: Receiver
) -> None:
    trade = await bought(stand, gateway)
    first, second = back(trade, 881), back(trade, 8_000)
    await gateway.refund(first)
    await gateway.refund(second)
    await arrived(ours, 3)
    told = [gateway.read(each.headers, each.body).about for each in ours.got]
    refunds = {each.out_refund_no: each for each in told if isinstance(each, RefundSighting)}
    assert {number: each.given_back_fen for number, each in refunds.items()} == {
        first.out_refund_no: 881, second.out_refund_no: 8_881,
    }  # fmt: skip
    assert {(each.state, each.amount_fen) for each in refunds.values()} == {("processing", 0)}


async def test_a_trade_that_closed_is_told(stand: Stand, gateway: AlipayGateway, ours: Receiver) -> None:
    ask = asked(str(alipay_buyer(stand, "陈静")["open_id"]))
    await gateway.create(ask)
    await gateway.close(ask.out_trade_no)
    told = await arrived(ours)
    about = gateway.read(told.headers, told.body).about
    assert (about.out_trade_no, about.state, about.amount_fen) == (ask.out_trade_no, "closed", 0)


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
    stand: Stand, gateway: AlipayGateway, ours: Receiver, fault: str, reason: str
) -> None:
    stand.fault("alipay", "notify", fault)
    trade = await bought(stand, gateway)
    told = await arrived(ours)
    with pytest.raises(Refused) as refusal:
        gateway.read(told.headers, told.body)
    assert (refusal.value.reason, refusal.value.out_trade_no) == (reason, trade.out_trade_no)


async def test_another_amount_is_told_as_it_is(stand: Stand, gateway: AlipayGateway, ours: Receiver) -> None:
    stand.fault("alipay", "notify", "wrong_amount")
    await bought(stand, gateway)
    told = await arrived(ours)
    assert gateway.read(told.headers, told.body).about.amount_fen == 8_882


def here(answer: Answer = lambda _: httpx.Response(500)) -> AlipayGateway:
    """A gateway over an answer that the test makes up."""
    return AlipayGateway(alipay(answer), seller_id=SELLER, notify_url="https://l.cn/n", return_url=back_of)


def written(at: datetime) -> str:
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"


def form(digest: hashes.HashAlgorithm | None = None, **changed: str | None) -> bytes:
    """A signed notification; a change to None leaves the parameter out."""
    given: dict[str, str | None] = {
        "app_id": "2021", "seller_id": SELLER, "out_trade_no": "N1", "trade_no": "2200", "trade_status": "TRADE_SUCCESS",
        "total_amount": "5.00", "gmt_payment": "2026-11-21 15:01:00", "notify_id": "n1", "notify_time": written(clock.now()),
        **changed,
    }  # fmt: skip
    fields = {name: value for name, value in given.items() if value is not None}
    text = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
    return urlencode({**fields, "sign_type": "RSA2", "sign": alipay_sign(text.encode(), digest)}).encode()


def test_what_comes_is_read() -> None:
    about = here().read({}, form()).about
    assert isinstance(about, Sighting)
    assert (about.state, about.amount_fen) == ("paid", 500)
    assert about.paid_at == datetime.fromisoformat("2026-11-21T15:01:00+08:00")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: b"", "signature"),
        (lambda: b"\xff=1", "malformed"),
        (lambda: b"not a form", "malformed"),
        (lambda: form() + b"&total_amount=50.00", "signature"),
        (lambda: form().replace(b"5.00", b"6.00"), "signature"),
        (lambda: form().replace(b"RSA2", b"RSA"), "signature"),
        (lambda: form(hashes.SHA1()), "signature"),
        (lambda: form(app_id="2022"), "not for us"),
        (lambda: form(app_id=None), "not for us"),
        (lambda: form(seller_id="2088000000000002"), "not for us"),
        (lambda: form(seller_id=None), "not for us"),
        (lambda: form(notify_time=written(clock.now() - timedelta(hours=25, minutes=1))), "stale"),
        (lambda: form(notify_time=written(clock.now() + timedelta(hours=26))), "stale"),
        (lambda: form(notify_time=""), "signature"),
        (lambda: form(notify_time=None), "malformed"),
        (lambda: form(notify_time="now"), "malformed"),
        (lambda: form(notify_id=None), "malformed"),
        (lambda: form(total_amount=None), "malformed"),
        (lambda: form(total_amount="5.001"), "malformed"),
        (lambda: form(trade_status=None), "malformed"),
        (lambda: form(trade_status="NEW"), "malformed"),
        (lambda: form(out_trade_no=None), "malformed"),
        (lambda: form(refund_fee="x"), "malformed"),
    ],
)
def test_what_is_not_believed(made: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        here().read({}, made())
    assert refusal.value.reason == reason


def test_a_notification_of_the_last_delivery_is_still_fresh() -> None:
    late = form(notify_time=written(clock.now() - timedelta(hours=24, minutes=24)))
    assert here().read({}, late).external_id == "n1"


def test_what_the_platform_wants_to_hear() -> None:
    assert (here().reply(taken=True).status, here().reply(taken=True).body) == (200, b"success")
    assert here().reply(taken=False).body != b"success"


def node(method: str, **fields: object) -> Answer:
    """A signed answer."""
    text = orjson.dumps({"code": "10000", **fields})
    return alipay_wire(method.replace(".", "_") + "_response", text, alipay_sign(text))


@pytest.mark.parametrize(
    ("code", "sub_code", "failure"),
    [
        ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", Declined),
        ("40004", "ACQ.TRADE_NOT_EXIST", Declined),
        ("40004", "ACQ.A_NEW_ONE", Declined),
        ("40006", "isv.insufficient-isv-permissions", Declined),
        ("40002", "isv.invalid-parameter", Declined),
        ("10003", "", OutcomeUnknown),
        ("20000", "isp.unknow-error", OutcomeUnknown),
        ("20000", "aop.ACQ.SYSTEM_ERROR", OutcomeUnknown),
        ("40004", "ACQ.SYSTEM_ERROR", OutcomeUnknown),
        ("40005", "", NotSent),
        ("40002", "isv.invalid-signature", NotSent),
        ("40002", "isv.invalid-timestamp", NotSent),
    ],
)
async def test_each_failure_means_one_thing(code: str, sub_code: str, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        await here(node("alipay.trade.refund", code=code, sub_code=sub_code)).refund(REFUND)


@pytest.mark.parametrize(
    "changed",
    [
        {"out_trade_no": "N2"}, {"trade_status": "NEW"}, {"trade_status": None}, {"total_amount": None},
        {"total_amount": "5.001"}, {"send_pay_date": "soon"},
    ],
)  # fmt: skip
async def test_an_answer_about_something_else_is_not_believed(changed: dict[str, Any]) -> None:
    trade = {
        "out_trade_no": "N1", "trade_no": "2200", "trade_status": "TRADE_SUCCESS", "total_amount": "5.00",
        "send_pay_date": "2026-11-21 15:01:00", **changed,
    }  # fmt: skip
    fields = {name: value for name, value in trade.items() if value is not None}
    with pytest.raises(OutcomeUnknown):
        await here(node("alipay.trade.query", **fields)).query("N1")


async def test_a_refund_is_there_once_its_amount_is_told() -> None:
    done = {
        "out_trade_no": "N1", "out_request_no": "R1", "trade_no": "2200", "refund_amount": "1.00",
        "refund_status": "REFUND_SUCCESS",
    }  # fmt: skip
    method = "alipay.trade.fastpay.refund.query"
    seen = await here(node(method, **done)).query_refund(REFUND)
    assert (seen.state, seen.amount_fen, seen.channel_refund_no) == ("succeeded", 100, "2200:R1")
    for less in ({}, {**done, "refund_amount": ""}, {**done, "refund_status": "REFUND_PROCESSING"}):
        assert (await here(node(method, **less)).query_refund(REFUND)).state == "absent"
    for wrong in (
        {**done, "out_request_no": "R2"},
        {**done, "trade_no": "2201"},
        {**done, "refund_amount": "x"},
    ):
        with pytest.raises(OutcomeUnknown):
            await here(node(method, **wrong)).query_refund(REFUND)


@pytest.mark.parametrize("product", ["mini_program", "qr"])
async def test_an_answer_without_what_the_client_needs_tells_nothing(product: Any) -> None:
    method = "alipay.trade.create" if product == "mini_program" else "alipay.trade.precreate"
    with pytest.raises(OutcomeUnknown):
        await here(node(method)).create(asked("o", product))
