"""Our gateway to Alipay and the platform's stand-in, which checks as the real one does: every call, every refusal."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from domains.kernel import clock
from domains.platforms.calling import NotSent, OutcomeUnknown
from payments.gateways import Declined, RefundAsk, RefundSighting, Sighting
from payments.gateways.alipay import AlipayGateway
from tests.factories.merchants import alipay_of, asked, back, back_of
from tests.factories.platforms import private_pem, public_pem
from tests.unit.stand_ins.merchant import alipay_buyer
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture(scope="module")
def gateway(stand: Stand, http: httpx.AsyncClient) -> AlipayGateway:
    return alipay_of(stand, http)


@pytest.fixture(scope="module")
def buyer(stand: Stand) -> str:
    return str(alipay_buyer(stand, "陈静")["open_id"])


def _pay(stand: Stand, trade_no: str, person: str = "陈静") -> str:
    return str(stand.open("alipay/pay", trade_no=trade_no, person=person)["resultCode"])


async def paid(stand: Stand, gateway: AlipayGateway, buyer: str, fen: int = 8_881) -> Sighting:
    """A trade that the person paid in the mini-program."""
    ask = asked(buyer, fen=fen)
    assert _pay(stand, (await gateway.create(ask))["tradeNO"]) == "9000"
    return await gateway.query(ask.out_trade_no)


@pytest.mark.parametrize("fen", [1, 99, 100, 8_881, 123_456_789])
async def test_a_trade_of_the_mini_program_is_paid_to_the_fen(
    stand: Stand, gateway: AlipayGateway, buyer: str, fen: int
) -> None:
    ask = asked(buyer, fen=fen)
    given = await gateway.create(ask)
    assert (await gateway.query(ask.out_trade_no)).state == "waiting"
    assert _pay(stand, given["tradeNO"]) == "9000"
    seen, books = await gateway.query(ask.out_trade_no), stand.trades()[ask.out_trade_no]
    assert (seen.state, seen.amount_fen, seen.channel_no) == ("paid", fen, given["tradeNO"])
    assert (books["paid_fen"], books["payer"], books["trade_no"]) == (fen, "陈静", given["tradeNO"])
    assert seen.paid_at is not None and abs(clock.now() - seen.paid_at).total_seconds() < 60


async def test_a_buyer_is_known_by_either_id(stand: Stand, gateway: AlipayGateway) -> None:
    user_id = str(alipay_buyer(stand, "刘洋")["user_id"])
    assert _pay(stand, (await gateway.create(asked(user_id)))["tradeNO"], "刘洋") == "9000"


async def test_asked_again_it_is_the_same_trade(gateway: AlipayGateway, buyer: str) -> None:
    ask = asked(buyer)
    assert await gateway.create(ask) == await gateway.create(ask)


async def test_a_code_is_no_trade_until_somebody_scans_it(stand: Stand, gateway: AlipayGateway) -> None:
    ask = asked(product="qr")
    code = (await gateway.create(ask))["qrCode"]
    assert (await gateway.query(ask.out_trade_no)).state == "absent"
    assert await gateway.close(ask.out_trade_no) is False
    assert stand.http.get(code).status_code == 200
    assert (await gateway.query(ask.out_trade_no)).state == "waiting"
    assert stand.http.post(code, data={"person": "刘洋", "answer": "pay"}).status_code in (200, 303)
    assert (await gateway.query(ask.out_trade_no)).state == "paid"


async def test_a_page_is_opened_by_a_browser_and_leads_back(stand: Stand, gateway: AlipayGateway) -> None:
    ask = asked(product="h5")
    url = (await gateway.create(ask))["url"]
    assert (await gateway.query(ask.out_trade_no)).state == "absent"
    opened = stand.http.get(url)
    assert opened.status_code == 302
    paid_by = stand.http.post(opened.headers["location"], data={"person": "刘洋", "answer": "pay"})
    assert paid_by.headers["location"].startswith(back_of(ask.payment_id))
    assert parse_qs(urlsplit(paid_by.headers["location"]).query)["out_trade_no"] == [ask.out_trade_no]
    assert (await gateway.query(ask.out_trade_no)).state == "paid"


async def test_what_is_refused_for_good_is_in_nobodys_books(
    stand: Stand, gateway: AlipayGateway, buyer: str
) -> None:
    before = len(stand.trades())
    for wrong in (asked("nobody"), asked(buyer, fen=0), asked(buyer, out_trade_no="not-a-number")):
        with pytest.raises(Declined) as told:
            await gateway.create(wrong)
        assert told.value.code == "ACQ.INVALID_PARAMETER"
    assert len(stand.trades()) == before


async def test_a_refusal_says_nothing_of_a_trade_that_is_there(
    stand: Stand, gateway: AlipayGateway, buyer: str
) -> None:
    ask, other = asked(buyer), str(alipay_buyer(stand, "刘洋")["open_id"])
    given = await gateway.create(ask)
    for again, code in (
        (asked(buyer, fen=1, out_trade_no=ask.out_trade_no), "ACQ.CONTEXT_INCONSISTENT"),
        (asked(other, out_trade_no=ask.out_trade_no), "ACQ.TRADE_BUYER_NOT_MATCH"),
    ):
        with pytest.raises(OutcomeUnknown, match=code):
            await gateway.create(again)
    assert _pay(stand, given["tradeNO"]) == "9000"
    with pytest.raises(OutcomeUnknown, match=r"ACQ\.TRADE_HAS_SUCCESS"):
        await gateway.create(ask)


async def test_a_trade_is_closed_unless_it_is_paid(stand: Stand, gateway: AlipayGateway, buyer: str) -> None:
    ask = asked(buyer)
    given = await gateway.create(ask)
    assert await gateway.close(ask.out_trade_no) is True
    assert (await gateway.query(ask.out_trade_no)).state == "closed"
    assert _pay(stand, given["tradeNO"]) == "4000"
    with pytest.raises(Declined, match=r"ACQ\.TRADE_HAS_CLOSE"):
        await gateway.create(ask)
    assert await gateway.close((await paid(stand, gateway, buyer)).out_trade_no) is False
    assert await gateway.close("0" * 32) is False


async def test_closing_while_the_payer_pays_ends_one_way(
    stand: Stand, gateway: AlipayGateway, buyer: str
) -> None:
    for _ in range(8):
        ask = asked(buyer)
        given = await gateway.create(ask)
        told, closed = await asyncio.gather(
            asyncio.to_thread(_pay, stand, given["tradeNO"]), gateway.close(ask.out_trade_no)
        )
        state = (await gateway.query(ask.out_trade_no)).state
        assert (told == "9000", state) == ((False, "closed") if closed else (True, "paid"))


async def test_a_refund_is_made_once_whoever_repeats_it(
    stand: Stand, gateway: AlipayGateway, buyer: str
) -> None:
    trade = await paid(stand, gateway, buyer)
    ask = back(trade, 881)
    assert (await gateway.query_refund(ask)).state == "absent"
    made, again = await gateway.refund(ask), await gateway.refund(ask)
    # A repetition moves nothing: it is asked about, and then there.
    assert (made.state, made.amount_fen, again.state) == ("succeeded", 881, "processing")
    seen = await gateway.query_refund(ask)
    assert (seen.state, seen.amount_fen) == ("succeeded", 881)
    assert seen.channel_refund_no == made.channel_refund_no
    books = stand.trades()[trade.out_trade_no]
    assert (books["refunded_fen"], len(books["refunds"])) == (881, 1)


async def test_a_refund_finds_its_trade_by_the_platforms_own_number(
    stand: Stand, gateway: AlipayGateway, buyer: str
) -> None:
    trade = await paid(stand, gateway, buyer)
    ask = back(trade, 881, out_trade_no="0" * 32)
    assert [(await gateway.refund(ask)).state, (await gateway.query_refund(ask)).state] == ["succeeded"] * 2
    assert stand.trades()[trade.out_trade_no]["refunded_fen"] == 881


async def test_a_trade_that_was_given_back_whole_was_paid_all_the_same(
    stand: Stand, gateway: AlipayGateway, buyer: str
) -> None:
    trade = await paid(stand, gateway, buyer)
    await gateway.refund(back(trade, 8_000))
    assert await gateway.query(trade.out_trade_no) == _but_body(
        await gateway.query(trade.out_trade_no), trade
    )
    await gateway.refund(back(trade, 881))
    after = await gateway.query(trade.out_trade_no)
    assert (after.state, after.amount_fen, after.given_back_fen) == ("paid", 8_881, 8_881)


def _but_body(seen: Sighting, expected: Sighting) -> Sighting:
    """The expected sighting, in the words of the one that was seen."""
    assert (seen.state, seen.amount_fen, seen.paid_at) == (
        expected.state,
        expected.amount_fen,
        expected.paid_at,
    )
    return seen


async def test_refunds_that_the_platform_will_not_make(
    stand: Stand, gateway: AlipayGateway, buyer: str
) -> None:
    trade, waiting = await paid(stand, gateway, buyer), asked(buyer)
    await gateway.create(waiting)
    ask = back(trade, 100)
    await gateway.refund(ask)
    other = RefundAsk(ask.out_trade_no, ask.channel_no, ask.out_refund_no, 101, 8_881, "退款")
    for wrong, code in (
        (back(trade, 8_782), "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"),
        (other, "ACQ.DISCORDANT_REPEAT_REQUEST"),
        (back(Sighting(waiting.out_trade_no, "waiting"), 1), "ACQ.TRADE_STATUS_ERROR"),
        (back(Sighting("0" * 32, "waiting"), 1), "ACQ.TRADE_NOT_EXIST"),
    ):
        with pytest.raises(Declined) as told:
            await gateway.refund(wrong)
        assert told.value.code == code
    stand.fault("alipay", "alipay.trade.refund", "not_enough")
    with pytest.raises(Declined, match=r"ACQ\.SELLER_BALANCE_NOT_ENOUGH"):
        await gateway.refund(back(trade, 1))
    assert stand.trades()[trade.out_trade_no]["refunded_fen"] == 100


@pytest.mark.parametrize(("fault", "state"), [("pending", "succeeded"), ("abnormal", "absent")])
async def test_a_refund_that_hangs_is_asked_about(
    stand: Stand, gateway: AlipayGateway, buyer: str, fault: str, state: str
) -> None:
    trade = await paid(stand, gateway, buyer)
    stand.fault("alipay", "alipay.trade.refund", fault, seconds=0.3)
    ask = back(trade, 500)
    assert (await gateway.refund(ask)).state == "processing"
    seen: RefundSighting = await gateway.query_refund(ask)
    for _ in range(200):
        if seen.state == state and (fault == "pending" or _settled(stand, trade, ask)):
            break
        await asyncio.sleep(0.02)
        seen = await gateway.query_refund(ask)
    assert seen.state == state


def _settled(stand: Stand, trade: Sighting, ask: RefundAsk) -> bool:
    refunds = stand.trades()[trade.out_trade_no]["refunds"]
    return any(
        each["out_refund_no"] == ask.out_refund_no and each["state"] != "PROCESSING" for each in refunds
    )


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
    stand: Stand, gateway: AlipayGateway, buyer: str, kind: str, failure: type[Exception]
) -> None:
    ask, code = asked(buyer), asked(product="qr")
    stand.fault("alipay", "alipay.trade.create", kind)
    stand.fault("alipay", "alipay.trade.precreate", kind)
    for each in (ask, code):
        with pytest.raises(failure):
            await gateway.create(each)
        assert (each.out_trade_no in stand.trades()) == (kind in ("busy_done", "drop"))
        assert await gateway.create(each)
    assert _pay(stand, (await gateway.create(ask))["tradeNO"]) == "9000"
    stand.fault("alipay", "alipay.trade.query", kind)
    with pytest.raises(failure):
        await gateway.query(ask.out_trade_no)
    refund = back(await gateway.query(ask.out_trade_no), 100)
    for api, call in (
        ("alipay.trade.refund", gateway.refund),
        ("alipay.trade.fastpay.refund.query", gateway.query_refund),
    ):
        stand.fault("alipay", api, kind)
        with pytest.raises(failure):
            await call(refund)
        await call(refund)
    assert [each["amount_fen"] for each in stand.trades()[ask.out_trade_no]["refunds"]] == [100]


async def test_an_answer_to_closing_may_be_lost(stand: Stand, gateway: AlipayGateway, buyer: str) -> None:
    ask = asked(buyer)
    await gateway.create(ask)
    stand.fault("alipay", "alipay.trade.close", "drop")
    with pytest.raises(OutcomeUnknown):
        await gateway.close(ask.out_trade_no)
    assert (await gateway.query(ask.out_trade_no)).state == "closed"


async def test_keys_of_ours_that_the_platform_does_not_know_spoil_no_payment(
    stand: Stand, http: httpx.AsyncClient, buyer: str
) -> None:
    before = len(stand.trades())
    stranger = rsa.generate_private_key(65537, 2048)
    with pytest.raises(NotSent, match=r"isv\.invalid-signature"):
        await alipay_of(stand, http, app_key_pem=private_pem(stranger)).create(asked(buyer))
    # Nobody's key belongs to an unknown application, so that the answer is not signed.
    with pytest.raises(OutcomeUnknown):
        await alipay_of(stand, http, app_id="2021000000000000").create(asked(buyer))
    assert len(stand.trades()) == before
    with pytest.raises(OutcomeUnknown):
        await alipay_of(stand, http, public_key_pem=public_pem(stranger)).create(asked(buyer))
