"""支付宝异步通知: what they say, how often they come, and every way in which one can be wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import hashes

from tests.unit.stand_ins.merchant import (
    Receiver,
    alipay,
    alipay_state,
    created,
    forget,
    holds,
    is_from_alipay,
    paid_by_alipay,
    pay_by_alipay,
    receiver,
    until,
)
from tests.unit.stand_ins.stand import Json, Stand


@pytest.fixture(autouse=True)
def cleared(paying: Stand) -> Iterator[None]:
    yield
    forget(paying)


@pytest.fixture
def inbox() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def refund(stand: Stand, trade: Json, amount: str, request_no: str) -> None:
    content = {"trade_no": trade["trade_no"], "refund_amount": amount, "out_request_no": request_no}
    assert alipay(stand, "alipay.trade.refund", content)["fund_change"] == "Y"


def fate(stand: Stand, trade: Json) -> Json:
    """How the notification of that trade fared."""
    notices = stand.http.get("/open/notices").json()["notices"]
    found: Json = next(one for one in notices if one["out_trade_no"] == trade["out_trade_no"])
    return found


def test_a_payment_is_told_once_it_is_taken(paying: Stand, inbox: Receiver) -> None:
    trade = paid_by_alipay(paying, notify_url=inbox.url, passback_params="房号 1-101")
    form = inbox.wait(1)[0].form
    assert is_from_alipay(paying, form)
    app = paying.credentials["alipay"]
    assert {
        "sign_type": "RSA2",
        "charset": "utf-8",
        "version": "1.0",
        "notify_type": "trade_status_sync",
        "app_id": app["app_id"],
        "auth_app_id": app["app_id"],
        "seller_id": app["seller_id"],
        "trade_status": "TRADE_SUCCESS",
        "out_trade_no": trade["out_trade_no"],
        "trade_no": trade["trade_no"],
        "total_amount": "88.80",
        "receipt_amount": "88.80",
        "buyer_open_id": trade["buyer_open_id"],
        "passback_params": "房号 1-101",
        "subject": "物业费 2026年11月",
    }.items() <= form.items()
    assert json.loads(form["fund_bill_list"]) == [{"amount": "88.80", "fundChannel": "ALIPAYACCOUNT"}]
    assert {"gmt_create", "gmt_payment", "notify_id", "notify_time"} < form.keys()
    assert all(form.values())
    told = until(lambda: fate(paying, trade)["delivered_at"] and fate(paying, trade), "the keeping")
    assert (told["tries"], told["last_answer"]) == (1, "200 success")


def test_refunds_are_told_with_their_sum_and_number(paying: Stand, inbox: Receiver) -> None:
    trade = paid_by_alipay(paying, notify_url=inbox.url)
    inbox.wait(1)
    refund(paying, trade, "8.80", "r1")
    part = inbox.wait(2)[1].form
    refund(paying, trade, "80.00", "r2")
    whole = inbox.wait(3)[2].form
    assert is_from_alipay(paying, part) and is_from_alipay(paying, whole)
    assert (part["trade_status"], part["refund_fee"], part["out_biz_no"]) == ("TRADE_SUCCESS", "8.80", "r1")
    assert (whole["trade_status"], whole["refund_fee"], whole["out_biz_no"]) == (
        "TRADE_CLOSED",
        "88.80",
        "r2",
    )
    assert part["gmt_refund"] and part["gmt_payment"]
    assert len({delivery.form["notify_id"] for delivery in inbox.got}) == 3


def test_closing_is_told(paying: Stand, inbox: Receiver) -> None:
    trade = created(paying, notify_url=inbox.url)
    alipay(paying, "alipay.trade.close", {"trade_no": trade["trade_no"]})
    form = inbox.wait(1)[0].form
    assert is_from_alipay(paying, form)
    assert form["trade_status"] == "TRADE_CLOSED"
    assert "gmt_payment" not in form and form["gmt_close"]


def test_what_happens_by_itself_is_told_by_itself(paying: Stand, inbox: Receiver) -> None:
    trade = created(paying, notify_url=inbox.url)
    paying.books("UPDATE trades SET expires_at = 0 WHERE trade_no = ?", trade["trade_no"])
    created(paying)
    assert inbox.wait(1)[0].form["trade_status"] == "TRADE_CLOSED"
    paid = paid_by_alipay(paying, notify_url=inbox.url)
    inbox.wait(2)
    paying.books("UPDATE trades SET paid_at = paid_at - 31536000 WHERE trade_no = ?", paid["trade_no"])
    assert alipay_state(paying, paid) == "TRADE_FINISHED"
    assert inbox.wait(3)[2].form["trade_status"] == "TRADE_FINISHED"


@pytest.mark.parametrize(
    "wrong", [(200, b"fail"), (200, b"success\n"), (200, b"SUCCESS"), (500, b"success"), (302, b"success")]
)
def test_anything_but_success_lets_it_come_again(paying: Stand, wrong: tuple[int, bytes]) -> None:
    with receiver(wrong, wrong, (200, b"success")) as inbox:
        trade = paid_by_alipay(paying, notify_url=inbox.url)
        forms = [delivery.form for delivery in inbox.wait(3)]
        assert len({form["notify_id"] for form in forms}) == 1
        assert all(is_from_alipay(paying, form) for form in forms)
        until(lambda: fate(paying, trade)["delivered_at"], "the taking")
        assert fate(paying, trade)["tries"] == 3
        assert len(inbox.got) == 3


def test_eight_deliveries_on_the_platforms_schedule(paying: Stand) -> None:
    """At a 24,000th of 0, 4 m, 10 m, 10 m, 1 h, 2 h, 6 h and 15 h."""
    with receiver((500, b"")) as inbox:
        trade = paid_by_alipay(paying, notify_url=inbox.url)
        deliveries = inbox.wait(8)
        until(lambda: fate(paying, trade)["tries"] == 8, "giving up")
        assert (fate(paying, trade)["next_at"], fate(paying, trade)["delivered_at"]) == (None, None)
        times = [delivery.at for delivery in deliveries]
        # The other gaps are shorter than a busy machine may take to answer.
        assert times[7] - times[6] > 54000 / 24_000 * 0.7
        assert times[6] - times[5] > 21600 / 24_000 * 0.5


def test_nobody_there_is_no_answer(paying: Stand) -> None:
    trade = paid_by_alipay(paying, notify_url="http://127.0.0.1:9/")
    until(lambda: fate(paying, trade)["tries"] >= 2, "the second try")
    assert fate(paying, trade)["last_answer"] == "ConnectError"
    odd = paid_by_alipay(paying, notify_url="not an address")
    until(lambda: fate(paying, odd)["tries"] >= 2, "the second try")


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("wrong_amount", "total_amount", "88.81"),
        ("wrong_app", "app_id", "2021000000000000"),
        ("wrong_seller", "seller_id", "2088000000000000"),
    ],
)
def test_a_notification_can_say_what_is_not_so(paying: Stand, kind: str, name: str, value: str) -> None:
    paying.fault("alipay", "notify", kind)
    with receiver((200, b"failure"), (200, b"success")) as inbox:
        trade = paid_by_alipay(paying, notify_url=inbox.url)
        wrong, right = (delivery.form for delivery in inbox.wait(2))
        assert is_from_alipay(paying, wrong) and is_from_alipay(paying, right)
        assert wrong[name] == value != right[name]
        assert trade["out_trade_no"] == wrong["out_trade_no"] == right["out_trade_no"]


@pytest.mark.parametrize("kind", ["bad_signature", "sha1_signature"])
def test_a_notification_can_be_forged(paying: Stand, kind: str) -> None:
    paying.fault("alipay", "notify", kind)
    with receiver((200, b"failure"), (200, b"success")) as inbox:
        paid_by_alipay(paying, notify_url=inbox.url)
        wrong, right = (delivery.form for delivery in inbox.wait(2))
        assert not is_from_alipay(paying, wrong)
        assert is_from_alipay(paying, right)
        text = "&".join(f"{n}={v}" for n, v in sorted(wrong.items()) if n not in ("sign", "sign_type"))
        key = paying.credentials["alipay"]["alipay_public_key"]
        assert holds(key, text.encode(), wrong["sign"], hashes.SHA1()) is (kind == "sha1_signature")


def test_duplicates_at_once(paying: Stand, inbox: Receiver) -> None:
    paying.fault("alipay", "notify", "duplicate", copies=4)
    paid_by_alipay(paying, notify_url=inbox.url)
    assert len({delivery.form["notify_id"] for delivery in inbox.wait(5)}) == 1


def test_one_that_is_lost_comes_at_the_next_turn(paying: Stand, inbox: Receiver) -> None:
    paying.fault("alipay", "notify", "drop", times=2)
    trade = paid_by_alipay(paying, notify_url=inbox.url)
    assert is_from_alipay(paying, inbox.wait(1)[0].form)
    until(lambda: fate(paying, trade)["tries"] == 3, "the third try")


def test_one_that_is_delayed(paying: Stand, inbox: Receiver) -> None:
    paying.fault("alipay", "notify", "delay", seconds=60)
    slow = paid_by_alipay(paying, notify_url=inbox.url)
    until(lambda: fate(paying, slow)["next_at"] > time.time() + 1, "the delay")
    fast = paid_by_alipay(paying, notify_url=inbox.url)
    assert inbox.wait(1)[0].form["out_trade_no"] == fast["out_trade_no"]
    paying.books("UPDATE notices SET next_at = 0 WHERE next_at IS NOT NULL")
    created(paying)
    assert inbox.wait(2)[1].form["out_trade_no"] == slow["out_trade_no"]


def test_a_later_one_overtakes(paying: Stand, inbox: Receiver) -> None:
    trade = created(paying, notify_url=inbox.url)
    paying.fault("alipay", "notify", "reorder")
    assert pay_by_alipay(paying, trade) == "9000"
    until(lambda: paying.books("SELECT 1 FROM notices WHERE held"), "the holding")
    refund(paying, trade, "8.80", "r1")
    first, second = (delivery.form for delivery in inbox.wait(2))
    assert "gmt_refund" in first and "gmt_refund" not in second
    assert is_from_alipay(paying, second)
