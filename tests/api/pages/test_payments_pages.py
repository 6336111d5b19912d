"""The desk, payments, refunds and the ledger on the pages of staff."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote
from uuid import UUID

import pytest
from starlette.applications import Starlette

from domains.billing import permissions as billing
from domains.billing.models import BillingRules
from domains.kernel import database
from payments import permissions
from payments.service import intake, refund_sending
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import bills, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, trial_balance
from tests.factories.relaying import deliver
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
DESK, PAYMENTS, REFUNDS, LEDGER = "/staff/desk", "/staff/payments", "/staff/refunds", "/staff/ledger"
CASHIER = (permissions.DESK_WRITE, billing.BILLS_READ, "estate.read")
OFFICE = (*CASHIER, permissions.PAYMENTS_READ, permissions.REFUNDS_REQUEST, permissions.LEDGER_READ)
NONE = "not sent"
ALL = (*OFFICE, permissions.REFUNDS_DECIDE)


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel()) as made:
        yield made


@pytest.fixture
async def scene() -> Scene:
    """Places that no other test uses."""
    return await residents.scene()


def hidden(page: str, name: str) -> str:
    """What a hidden field of a page says."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


async def form(visitor: Visitor, scene: Scene, **typed: str) -> dict[str, str]:
    """The desk's form for the scene's house as it is shown, all bills chosen, with what is typed into it."""
    shown = await visitor.get(f"{DESK}/house?house={quote(encode('House', scene.house_id))}")
    chosen = re.findall(r'name="bill" value="([^"]+)" checked', shown.text)
    fields = {name: hidden(shown.text, name) for name in ("house", "key", "expected")}
    return {**fields, "bill": chosen[-1], "method": "CASH", **typed}


async def paid_in_cash(visitor: Visitor, scene: Scene, **typed: str) -> str:
    """The page of a payment that was taken in cash."""
    done = await visitor.post(f"{DESK}/take", await form(visitor, scene, **typed))
    assert done.status_code == 303, seen(done)
    return str(done.headers["location"])


def payment_on(page: str) -> dict[str, str]:
    """The fields by which forms of a payment's page name it."""
    return {"payment": hidden(page, "payment"), "key": hidden(page, "key")}


async def count(table: str, scene: Scene) -> int:
    """How many rows of a table the scene's compound has."""
    return int(
        await database.fetchval(f"SELECT count(*) FROM {table} WHERE compound_id = $1", scene.compound_id)
    )


async def test_cash_is_counted_taken_printed_and_voided(app: Starlette, scene: Scene) -> None:
    bill = await bills.bill(scene.house_id, 12_345)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *CASHIER))
        assert "1号楼1单元101" in seen(await visitor.get(f"{DESK}?house=101"))
        assert "没有找到这套房屋" in seen(await visitor.get(f"{DESK}?house=999"))
        fields = await form(visitor, scene, given="200", ahead="10")
        counted = await visitor.post(f"{DESK}/count", fields, **HTMX)
        assert "应收合计 ¥133.45 找零 ¥66.55" in seen(counted)
        assert "还差 ¥33.45" in seen(await visitor.post(f"{DESK}/count", {**fields, "given": "100"}, **HTMX))
        assert "请填写数字" in seen(await visitor.post(f"{DESK}/count", {**fields, "given": "x"}, **HTMX))
        done = await visitor.post(f"{DESK}/take", {**fields, "expected": hidden(counted.text, "expected")})
        page = await visitor.get(done.headers["location"])
        assert "已收款 ¥133.45，找零 ¥66.55" in seen(page) and "收款 2" in seen(page)
        given = payment_on(page.text)
        paper = await visitor.post(f"{PAYMENTS}/receipt", {**given, "receipt": hidden(page.text, "receipt")})
        assert (await visitor.get(paper.headers["location"])).content.startswith(b"%PDF")
        await deliver()
        assert await bills.state_of(bill) == ("paid", 12_345, 12_345, 0, 0)
        assert "请" in seen(await visitor.post(f"{PAYMENTS}/void", {**given, "reason": ""}))
        await visitor.post(f"{PAYMENTS}/void", {**given, "reason": "收错了户"})
        page = await visitor.get(done.headers["location"])
        assert "已作废，账单恢复待缴" in seen(page) and "确认作废" not in seen(page)
    await deliver()
    assert await trial_balance(scene.compound_id) == {"receivable": 12_345, "income": -12_345}
    await check_books()


async def test_what_cannot_be_taken_is_said_and_nothing_is_booked(app: Starlette, scene: Scene) -> None:
    await bills.bill(scene.house_id, 10_000)
    await bills.bill(scene.next_door_id, 500)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *CASHIER))
        fields = await form(visitor, scene)
        assert fields["expected"] == "10000"
        for typed, said in (
            ({"given": "99.99"}, "收到的现金少于应收金额"), ({"expected": "9999"}, "应收金额已经变化"),
            ({"part": "30", "expected": "3000"}, "不支持部分支付"), ({"part": "1.234"}, "最多两位小数"),
            ({"method": "POS"}, "请填写 POS 参考号"), ({"method": "ALIPAY"}, "暂不支持这种支付方式"),
            ({"bill": NONE, "expected": "0"}, "没有需要支付的金额"),
            ({"ahead": "60000", "expected": "6010000"}, "充值金额应在"),
            ({"expected": "²"}, "应收金额已经变化"),
        ):  # fmt: skip
            with channel_of(ScriptedChannel(products=frozenset())):
                sent = {name: each for name, each in {**fields, **typed}.items() if each != NONE}
                shown = await visitor.post(f"{DESK}/take", sent)
            assert shown.status_code == 200 and said in seen(shown), typed
        assert await count("payment_order", scene) == 0
    assert await trial_balance(scene.compound_id) == {"receivable": 10_500, "income": -10_500}


async def test_a_part_by_card_where_the_compound_allows_it(app: Starlette, scene: Scene) -> None:
    bill = await bills.bill(scene.house_id, 10_000)
    await BillingRules.update_or_create(compound_id=scene.compound_id, defaults={"allows_part_payment": True})
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *CASHIER))
        typed = {"part": "30", "method": "POS", "reference": "000123", "expected": "3000"}
        where = await paid_in_cash(visitor, scene, **typed)
        assert "已收款 ¥30.00" in seen(await visitor.get(where))
        again = await visitor.post(f"{DESK}/take", await form(visitor, scene, **typed))
        assert "这个参考号已经入账过" in seen(again)
    await deliver()
    assert await bills.state_of(bill) == ("partly_paid", 10_000, 3_000, 0, 0)


async def test_a_code_is_shown_and_followed_until_it_is_paid(
    app: Starlette, scene: Scene, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bills.bill(scene.house_id, 10_000)
    monkeypatch.setattr(channel, "create", lambda ask: _code(channel, ask.out_trade_no, ask.amount_fen))
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *CASHIER))
        done = await visitor.post(f"{DESK}/take", await form(visitor, scene, method="ALIPAY"))
        page = await visitor.get(done.headers["location"])
        assert 'class="qr"' in page.text and "请用支付宝扫码" in seen(page) and "every 2s" in page.text
        state = done.headers["location"].replace("/code?", "/code/state?")
        assert "等待付款" in seen(await visitor.get(state, **HTMX))
        assert "支付中" in seen(
            await visitor.get(f"{DESK}/house?house={quote(encode('House', scene.house_id))}")
        )
        (number,) = channel.trades
        await intake.take_notification(channel, {}, channel.pay(number))
        over = await visitor.get(state, **HTMX)
        assert "已收到付款 ¥100.00" in seen(await visitor.get(over.headers["hx-redirect"]))
        assert (await visitor.get(done.headers["location"])).status_code == 303
    assert await trial_balance(scene.compound_id) == {"clearing": 10_000, "income": -10_000}


async def _code(channel: ScriptedChannel, number: str, fen: int) -> Mapping[str, str]:
    from payments.gateways import Sighting

    channel.trades[number] = Sighting(number, "waiting", amount_fen=fen)
    return {"qrCode": f"https://qr.example/{number}"}


async def test_a_code_nobody_pays_is_given_up(app: Starlette, scene: Scene, channel: ScriptedChannel) -> None:
    await bills.bill(scene.house_id, 10_000)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *CASHIER))
        done = await visitor.post(f"{DESK}/take", await form(visitor, scene, method="ALIPAY"))
        page = await visitor.get(done.headers["location"])
        assert "平台还没有给出收款码" in seen(page)
        which = {"payment": hidden(page.text, "payment")}
        asked = await visitor.post(f"{PAYMENTS}/ask", which)
        assert "已向支付平台查询" in seen(await visitor.get(asked.headers["location"]))
        await database.execute("UPDATE payment_attempt SET asked_at = NULL")
        closed = await visitor.post(f"{PAYMENTS}/cancel", which)
        assert "已关闭，账单可以重新缴费" in seen(await visitor.get(closed.headers["location"]))
        state = await visitor.get(done.headers["location"].replace("/code?", "/code/state?"), **HTMX)
        assert "hx-redirect" in state.headers
    assert await trial_balance(scene.compound_id) == {"receivable": 10_000, "income": -10_000}


async def test_a_refund_is_asked_for_by_one_and_approved_by_another(app: Starlette, scene: Scene) -> None:
    await bills.bill(scene.house_id, 10_000)
    async with visiting(app) as clerk, visiting(app) as manager:
        await clerk.sign_in(await staff_of(scene, *ALL))
        where = await paid_in_cash(clerk, scene)
        page = await clerk.get(where)
        given = {**payment_on(page.text), "part": hidden(page.text, "part"), "reason": "重复收取"}
        for amount in ("x", "", "100.01"):
            refused = await clerk.post(f"{PAYMENTS}/refund", {**given, "amount": amount})
            assert refused.status_code == 200 and 'role="alert"' in refused.text, amount
        assert await count("refund", scene) == 0
        await clerk.post(f"{PAYMENTS}/refund", {**given, "amount": "40"})
        assert "等待另一位同事审批" in seen(await clerk.get(where))
        own = await clerk.get(REFUNDS)
        assert "¥40.00" in seen(own) and "您提出的申请" in seen(own) and "同意退款" not in seen(own)
        await manager.sign_in(await staff_of(scene, *ALL))
        shown = await manager.get(REFUNDS)
        assert "王师傅" in seen(shown) and "重复收取" in seen(shown)
        which = {"refund": hidden(shown.text, "refund"), "key": hidden(shown.text, "key")}
        forged = await clerk.post(f"{REFUNDS}/decide", {**which, "decision": "APPROVE"}, **HTMX)
        assert "不能审批自己申请的退款" in seen(forged)
        card = await manager.post(f"{REFUNDS}/decide", {**which, "decision": "APPROVE"}, **HTMX)
        assert "已同意，款项将原路退回" in seen(card) and "已把款项退给住户" in seen(card)
        paid = {**which, "key": hidden(card.text, "key")}
        assert "已登记退款" in seen(await manager.post(f"{REFUNDS}/pay-out", paid, **HTMX))
        assert "没有这样的退款" in seen(await manager.get(REFUNDS))
        assert "¥40.00" in seen(await manager.get(f"{REFUNDS}?state=SUCCEEDED"))
        assert "已退 ¥40.00" in seen(await manager.get(PAYMENTS))
    assert sum((await trial_balance(scene.compound_id)).values()) == 0
    await check_books()


async def test_a_refund_that_did_not_go_through_is_sent_again_or_kept(
    app: Starlette, scene: Scene, channel: ScriptedChannel
) -> None:
    await bills.bill(scene.house_id, 10_000)
    channel.refund_state = "abnormal"
    async with visiting(app) as clerk, visiting(app) as manager:
        await clerk.sign_in(await staff_of(scene, *ALL))
        await manager.sign_in(await staff_of(scene, *ALL))
        await clerk.post(f"{DESK}/take", await form(clerk, scene, method="ALIPAY"))
        (number,) = channel.trades
        await intake.take_notification(channel, {}, channel.pay(number))
        listed = await clerk.get(f"{PAYMENTS}?state=PAID", **HTMX)
        link = re.search(r'href="(/staff/payments/one[^"]+)"', listed.text)
        assert link is not None and "支付宝 扫码" in seen(listed)
        page = await clerk.get(link[1])
        given = {**payment_on(page.text), "part": hidden(page.text, "part"), "amount": "100"}
        await clerk.post(f"{PAYMENTS}/refund", {**given, "reason": "重复缴费"})
        shown = await manager.get(REFUNDS)
        which = {"refund": hidden(shown.text, "refund"), "key": hidden(shown.text, "key")}
        assert "这笔退款没有异常" in seen(await manager.post(f"{REFUNDS}/retry", which, **HTMX))
        await manager.post(f"{REFUNDS}/decide", {**which, "decision": "APPROVE"})
        await refund_sending.see_to_due()
        stuck = await manager.get(f"{REFUNDS}?state=ABNORMAL")
        assert "退款异常" in seen(stuck) and "重新退款" in seen(stuck) and "确认转为预存" in seen(stuck)
        again = await manager.post(f"{REFUNDS}/retry", {**which, "key": hidden(stuck.text, "key")}, **HTMX)
        assert "已重新发起退款" in seen(again)
        await refund_sending.see_to_due()
        stuck = await manager.get(f"{REFUNDS}?state=ABNORMAL")
        kept = await manager.post(f"{REFUNDS}/keep", {**which, "key": hidden(stuck.text, "key")}, **HTMX)
        assert "已转入房屋预存款" in seen(kept)
    balance = await trial_balance(scene.compound_id)
    assert balance["prepayment"] == -10_000 and sum(balance.values()) == 0
    await check_books()


async def test_a_rejection_needs_its_reason(app: Starlette, scene: Scene) -> None:
    await bills.bill(scene.house_id, 10_000)
    async with visiting(app) as clerk, visiting(app) as manager:
        await clerk.sign_in(await staff_of(scene, *OFFICE))
        await manager.sign_in(await staff_of(scene, *ALL))
        page = await clerk.get(await paid_in_cash(clerk, scene))
        given = {**payment_on(page.text), "part": hidden(page.text, "part"), "amount": "1", "reason": "多收"}
        await clerk.post(f"{PAYMENTS}/refund", given)
        shown = await manager.get(REFUNDS)
        which = {"refund": hidden(shown.text, "refund"), "key": hidden(shown.text, "key")}
        reject = {**which, "decision": "REJECT"}
        assert 'role="alert"' in (await manager.post(f"{REFUNDS}/decide", reject, **HTMX)).text
        done = await manager.post(f"{REFUNDS}/decide", {**reject, "note": "核对无误"}, **HTMX)
        assert "已驳回，款项不变" in seen(done) and "核对无误" in seen(done)
    assert await trial_balance(scene.compound_id) == {"drawer": 10_000, "income": -10_000}


async def test_the_books_balance_and_show_their_journals(app: Starlette, scene: Scene) -> None:
    await bills.bill(scene.house_id, 10_000)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *OFFICE))
        await paid_in_cash(visitor, scene)
        shown = seen(await visitor.get(LEDGER))
        assert "收银备用金 ¥100.00 ¥0.00 ¥100.00" in shown and "¥0.00 平衡" in shown
        assert "现金缴费" in shown and "借 收银备用金 ¥100.00 贷 应收账款 ¥100.00" in shown
        assert "这几天没有凭证" in seen(await visitor.get(f"{LEDGER}?since=2020-01-01&until=2020-01-02"))
        assert (await visitor.get(f"{LEDGER}?since=x")).status_code == 400
        assert (await visitor.get(LEDGER, **HTMX)).text.startswith("<section")


def acts(fields: Mapping[str, str], payment: UUID, refund: UUID) -> dict[str, dict[str, str]]:
    """Everything that changes something here."""
    one = {"payment": encode("Payment", payment), "key": fields["key"], "reason": "试"}
    other = {"refund": encode("Refund", refund), "key": fields["key"], "decision": "APPROVE", "note": "试"}
    part = {**one, "part": encode("PaymentPart", payment), "amount": "1"}
    paths = {f"{DESK}/take": dict(fields), f"{PAYMENTS}/refund": part}
    paths |= {f"{PAYMENTS}/{name}": one for name in ("ask", "cancel", "void")}
    return paths | {f"{REFUNDS}/{name}": other for name in ("decide", "retry", "keep", "pay-out")}


SNAPSHOT = """
SELECT (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM payment_order t),
    (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM refund t),
    (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM payable t), (SELECT count(*) FROM journal)
"""


async def test_without_the_permission_or_with_a_forged_form_nothing_happens(
    app: Starlette, scene: Scene
) -> None:
    await bills.bill(scene.house_id, 10_000)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        page = await visitor.get(await paid_in_cash(visitor, scene))
        given = {**payment_on(page.text), "part": hidden(page.text, "part"), "amount": "1", "reason": "多收"}
        await visitor.post(f"{PAYMENTS}/refund", given)
        await bills.bill(scene.house_id, 200)
        fields = await form(visitor, scene)
        payment = await database.fetchval(
            "SELECT id FROM payment_order WHERE compound_id = $1", scene.compound_id
        )
        refund = await database.fetchval("SELECT id FROM refund WHERE compound_id = $1", scene.compound_id)
        before = await database.fetch(SNAPSHOT)
        for path, typed in acts(fields, payment, refund).items():
            assert (await visitor.post(path, typed, token="forged")).status_code == 403, path
    for granted, there in (((billing.BILLS_READ, "estate.read"), scene), (ALL, await residents.scene())):
        async with visiting(app) as visitor:
            await visitor.sign_in(await staff_of(there, *granted))
            home = await visitor.get("/staff/search")
            if there is scene:
                for path in (DESK, PAYMENTS, REFUNDS, LEDGER):
                    assert f'href="{path}"' not in home.text
                for path in (PAYMENTS, REFUNDS, LEDGER):
                    assert (await visitor.get(path)).status_code == 403
            for path, typed in acts(fields, payment, refund).items():
                done = await visitor.post(path, typed)
                assert done.status_code in (303, 403, 404), (path, seen(done))
    assert await database.fetch(SNAPSHOT) == before
