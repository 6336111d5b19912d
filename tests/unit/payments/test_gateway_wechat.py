"""Our gateway to WeChat Pay and the platform's stand-in, which checks as the real one does: every call, every refusal."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from domains.kernel import clock
from domains.platforms.calling import NotSent, OutcomeUnknown
from payments.gateways import Declined, RefundSighting, Sighting
from payments.gateways.wechat import WeChatGateway
from tests.factories.merchants import asked, back, back_of, wechat_of
from tests.factories.platforms import private_pem, public_pem
from tests.unit.stand_ins.merchant import openid
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture(scope="module")
def gateway(stand: Stand, http: httpx.AsyncClient) -> WeChatGateway:
    return wechat_of(stand, http)


@pytest.fixture(scope="module")
def buyer(stand: Stand) -> str:
    return openid(stand, "陈静")


async def paid(stand: Stand, gateway: WeChatGateway, buyer: str, fen: int = 8_881) -> Sighting:
    """An order that the person paid in the mini-program."""
    ask = asked(buyer, fen=fen)
    parameters = await gateway.create(ask)
    assert _pay(stand, dict(parameters)) == "requestPayment:ok"
    return await gateway.query(ask.out_trade_no)


def _pay(stand: Stand, parameters: dict[str, str], person: str = "陈静") -> str:
    prepay_id = parameters["package"].removeprefix("prepay_id=")
    return str(stand.open("wechat/pay", prepay_id=prepay_id, person=person, **parameters)["errMsg"])


@pytest.mark.parametrize("fen", [1, 99, 100, 8_881, 123_456_789])
async def test_an_order_of_the_mini_program_is_paid_to_the_fen(
    stand: Stand, gateway: WeChatGateway, buyer: str, fen: int
) -> None:
    ask = asked(buyer, fen=fen)
    parameters = await gateway.create(ask)
    assert set(parameters) == {"timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (await gateway.query(ask.out_trade_no)).state == "waiting"
    assert _pay(stand, dict(parameters)) == "requestPayment:ok"
    seen, books = await gateway.query(ask.out_trade_no), stand.trades()[ask.out_trade_no]
    assert (seen.state, seen.amount_fen, seen.channel_no) == ("paid", fen, books["trade_no"])
    assert (books["paid_fen"], books["payer"]) == (fen, "陈静")
    assert seen.paid_at is not None and abs(clock.now() - seen.paid_at).total_seconds() < 60
    assert abs(books["expires_at"] - ask.expires_at.timestamp()) < 1


async def test_asked_again_it_is_the_same_order_with_parameters_made_anew(
    stand: Stand, gateway: WeChatGateway, buyer: str
) -> None:
    ask = asked(buyer)
    first, second = await gateway.create(ask), await gateway.create(ask)
    assert first["package"] == second["package"]
    assert first["nonceStr"] != second["nonceStr"]
    assert _pay(stand, dict(first)) == "requestPayment:ok"
    assert _pay(stand, dict(second)) != "requestPayment:ok"


async def test_a_code_and_a_page_are_shown_to_whoever_pays(stand: Stand, gateway: WeChatGateway) -> None:
    code, page = asked(product="qr"), asked(product="h5")
    shown = (await gateway.create(code))["qrCode"]
    opened = (await gateway.create(page))["url"]
    assert parse_qs(urlsplit(opened).query) == {"redirect_url": [back_of(page.payment_id)]}
    for address, ask in ((shown, code), (opened, page)):
        assert stand.http.get(address).status_code == 200
        assert stand.http.post(address, data={"person": "刘洋", "answer": "pay"}).status_code in (200, 303)
        assert (await gateway.query(ask.out_trade_no)).state == "paid"


async def test_a_title_is_cut_at_the_bytes_that_the_platform_takes(
    gateway: WeChatGateway, buyer: str
) -> None:
    assert await gateway.create(asked(buyer, title="桂" * 120))


async def test_what_is_refused_for_good_is_in_nobodys_books(
    stand: Stand, gateway: WeChatGateway, http: httpx.AsyncClient, buyer: str
) -> None:
    before = len(stand.trades())
    for wrong, code in (
        (asked("nobody"), "PARAM_ERROR"),
        (asked(buyer, fen=0), "PARAM_ERROR"),
        (asked(buyer, out_trade_no="short"), "PARAM_ERROR"),
        (asked(product="h5", client_ip=""), "PARAM_ERROR"),
    ):
        with pytest.raises(Declined) as told:
            await gateway.create(wrong)
        assert told.value.code == code
    with pytest.raises(Declined, match="APPID_MCHID_NOT_MATCH"):
        await wechat_of(stand, http, app_id="wx0000000000000000").create(asked(buyer))
    assert len(stand.trades()) == before


async def test_a_refusal_says_nothing_of_an_order_that_is_there(
    stand: Stand, gateway: WeChatGateway, buyer: str
) -> None:
    ask = asked(buyer)
    parameters = await gateway.create(ask)
    for other in (asked(buyer, fen=1), asked(product="qr")):
        again = asked(other.buyer, other.product, other.amount_fen, out_trade_no=ask.out_trade_no)
        with pytest.raises(OutcomeUnknown):
            await gateway.create(again)
    assert _pay(stand, dict(parameters)) == "requestPayment:ok"
    with pytest.raises(OutcomeUnknown, match="ORDERPAID"):
        await gateway.create(ask)


async def test_what_nobody_ordered_is_absent(gateway: WeChatGateway) -> None:
    assert (await gateway.query("0" * 32)).state == "absent"
    assert await gateway.close("0" * 32) is False


async def test_an_order_is_closed_unless_it_is_paid(stand: Stand, gateway: WeChatGateway, buyer: str) -> None:
    ask = asked(buyer)
    parameters = await gateway.create(ask)
    assert [await gateway.close(ask.out_trade_no) for _ in range(2)] == [True, True]
    assert (await gateway.query(ask.out_trade_no)).state == "closed"
    assert _pay(stand, dict(parameters)) != "requestPayment:ok"
    with pytest.raises(Declined, match="ORDER_CLOSED"):
        await gateway.create(ask)
    assert await gateway.close((await paid(stand, gateway, buyer)).out_trade_no) is False


async def test_closing_while_the_payer_pays_ends_one_way(
    stand: Stand, gateway: WeChatGateway, buyer: str
) -> None:
    for _ in range(8):
        ask = asked(buyer)
        parameters = dict(await gateway.create(ask))
        told, closed = await asyncio.gather(
            asyncio.to_thread(_pay, stand, parameters), gateway.close(ask.out_trade_no)
        )
        state = (await gateway.query(ask.out_trade_no)).state
        assert (told == "requestPayment:ok", state) == ((False, "closed") if closed else (True, "paid"))


async def settled(gateway: WeChatGateway, ask: object) -> RefundSighting:
    for _ in range(500):
        seen = await gateway.query_refund(ask)  # type: ignore[arg-type]  # a RefundAsk
        if seen.state != "processing":
            return seen
        await asyncio.sleep(0.02)
    raise AssertionError("the refund did not settle")


async def test_a_refund_is_accepted_and_then_there(stand: Stand, gateway: WeChatGateway, buyer: str) -> None:
    order = await paid(stand, gateway, buyer)
    ask = back(order, 881)
    assert (await gateway.query_refund(ask)).state == "absent"
    accepted = await gateway.refund(ask)
    assert (accepted.state, accepted.amount_fen) == ("processing", 881)
    done = await settled(gateway, ask)
    assert (done.state, done.amount_fen, done.out_refund_no) == ("succeeded", 881, ask.out_refund_no)
    assert done.channel_refund_no == accepted.channel_refund_no
    assert (await gateway.refund(ask)).state == "succeeded"
    assert stand.trades()[order.out_trade_no]["refunded_fen"] == 881
    after = await gateway.query(order.out_trade_no)
    assert (after.state, after.amount_fen, after.paid_at) == ("paid", 8_881, order.paid_at)


async def test_a_refund_finds_its_order_by_the_platforms_own_number(
    stand: Stand, gateway: WeChatGateway, buyer: str
) -> None:
    order = await paid(stand, gateway, buyer)
    ask = back(order, 881, out_trade_no="0" * 32)
    assert (await gateway.refund(ask)).state == "processing"
    assert (await settled(gateway, ask)).state == "succeeded"
    assert stand.trades()[order.out_trade_no]["refunded_fen"] == 881


async def test_a_refund_finds_its_order_by_our_number_too(
    stand: Stand, gateway: WeChatGateway, buyer: str
) -> None:
    order = await paid(stand, gateway, buyer)
    ask = back(order, 8_881, channel_no="", reason="长" * 80)
    await gateway.refund(ask)
    assert (await settled(gateway, ask)).state == "succeeded"


async def test_refunds_that_the_platform_will_not_make(
    stand: Stand, gateway: WeChatGateway, buyer: str
) -> None:
    order, waiting = await paid(stand, gateway, buyer), asked(buyer)
    await gateway.create(waiting)
    unpaid = Sighting(waiting.out_trade_no, "waiting", amount_fen=8_881)
    unknown = Sighting("0" * 32, "waiting", amount_fen=8_881)
    for wrong, code in (
        (back(order, 8_882), "INVALID_REQUEST"),
        (back(order, 1, paid_fen=8_880), "PARAM_ERROR"),
        (back(unpaid, 1), "INVALID_REQUEST"),
        (back(unknown, 1), "RESOURCE_NOT_EXISTS"),
    ):
        with pytest.raises(Declined) as told:
            await gateway.refund(wrong)
        assert told.value.code == code
    stand.fault("wechatpay", "refund", "not_enough")
    with pytest.raises(Declined, match="NOT_ENOUGH"):
        await gateway.refund(back(order, 1))
    assert stand.trades()[order.out_trade_no]["refunds"] == []


async def test_a_refund_that_hangs_becomes_abnormal_and_is_seen_to_by_hand(
    stand: Stand, gateway: WeChatGateway, buyer: str
) -> None:
    order = await paid(stand, gateway, buyer)
    stand.fault("wechatpay", "refund", "abnormal", seconds=0.3)
    ask = back(order, 500)
    assert (await gateway.refund(ask)).state == "processing"
    assert (await gateway.query_refund(ask)).state in ("processing", "abnormal")
    assert (await settled(gateway, ask)).state == "abnormal"
    fields = {"out_trade_no": order.out_trade_no, "out_refund_no": ask.out_refund_no}
    assert stand.http.post("/open/wechatpay/refund", json=fields).status_code == 204
    assert (await gateway.query_refund(ask)).state == "succeeded"


async def test_a_refund_may_be_closed(stand: Stand, gateway: WeChatGateway, buyer: str) -> None:
    order = await paid(stand, gateway, buyer)
    stand.fault("wechatpay", "refund", "closed")
    ask = back(order, 500)
    await gateway.refund(ask)
    assert (await settled(gateway, ask)).state == "closed"
    assert stand.trades()[order.out_trade_no]["refunded_fen"] == 0


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("http_429", NotSent),
        ("http_500", OutcomeUnknown),
        ("busy", OutcomeUnknown),
        ("busy_done", OutcomeUnknown),
        ("cut", OutcomeUnknown),
        ("drop", OutcomeUnknown),
    ],
)
async def test_trouble_says_whether_something_may_have_happened_and_repeating_does_it_once(
    stand: Stand, gateway: WeChatGateway, buyer: str, kind: str, failure: type[Exception]
) -> None:
    ask = asked(buyer)
    stand.fault("wechatpay", "prepay", kind)
    with pytest.raises(failure):
        await gateway.create(ask)
    assert (ask.out_trade_no in stand.trades()) == (kind in ("busy_done", "drop"))
    assert _pay(stand, dict(await gateway.create(ask))) == "requestPayment:ok"
    stand.fault("wechatpay", "query", kind)
    with pytest.raises(failure):
        await gateway.query(ask.out_trade_no)
    refund = back(await gateway.query(ask.out_trade_no), 100)
    for api, call in (("refund", gateway.refund), ("refund_query", gateway.query_refund)):
        stand.fault("wechatpay", api, kind)
        with pytest.raises(failure):
            await call(refund)
        await call(refund)
    assert [each["amount_fen"] for each in stand.trades()[ask.out_trade_no]["refunds"]] == [100]


async def test_an_answer_to_closing_may_be_lost(stand: Stand, gateway: WeChatGateway, buyer: str) -> None:
    ask = asked(buyer)
    await gateway.create(ask)
    stand.fault("wechatpay", "close", "drop")
    with pytest.raises(OutcomeUnknown):
        await gateway.close(ask.out_trade_no)
    assert (await gateway.query(ask.out_trade_no)).state == "closed"
    assert await gateway.close(ask.out_trade_no) is True


async def test_keys_of_ours_that_the_platform_does_not_know_spoil_no_payment(
    stand: Stand, http: httpx.AsyncClient, buyer: str
) -> None:
    stranger = private_pem(rsa.generate_private_key(65537, 2048))
    merchant = stand.credentials["wechatpay"]
    for changed in ({"key_pem": stranger}, {"serial": "0" * 40}, {"mch_id": "1600000000"}):
        with pytest.raises(NotSent, match="SIGN_ERROR"):
            await wechat_of(stand, http, **changed).create(asked(buyer))
    unknown = {"PUB_KEY_ID_OTHER": merchant["public_key"]}
    with pytest.raises(OutcomeUnknown, match="unknown key"):
        await wechat_of(stand, http, public_keys=unknown).create(asked(buyer))
    forged = {merchant["public_key_id"]: public_pem(stand.app_key)}
    with pytest.raises(OutcomeUnknown, match="signature"):
        await wechat_of(stand, http, public_keys=forged).create(asked(buyer))
