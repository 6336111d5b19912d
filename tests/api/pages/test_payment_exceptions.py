"""Payment trouble on the pages of staff: what is open, what is done about it, and who is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import orjson
import pytest
from starlette.applications import Starlette

from domains.kernel import database
from payments import permissions
from payments.service import intake
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, seen, visiting
from tests.api.payments.cases import World
from tests.api.payments.test_exceptions import forged, gone, short
from tests.factories import identity, jobs, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, trial_balance

pytestmark = pytest.mark.usefixtures("instance")
LIST, SETTLE = "/staff/payments/exceptions", "/staff/payments/exceptions/settle"
READS = (permissions.PAYMENTS_READ, "estate.read")
ALL = (*READS, permissions.REFUNDS_REQUEST, permissions.REFUNDS_DECIDE)


@pytest.fixture
def channel() -> Iterator[ScriptedChannel]:
    with channel_of(ScriptedChannel()) as made:
        yield made


@pytest.fixture
async def world(channel: ScriptedChannel) -> World:
    return World(await residents.scene(), channel)


def form(page: str, action: str) -> dict[str, str]:
    """The fields of the form that does it."""
    found = re.search(rf'name="exception" value="([^"]+)"><input type="hidden" name="action" value="{action}">'
                      r'<input type="hidden" name="key" value="([^"]+)">', page)  # fmt: skip
    assert found is not None, action
    return {"exception": found[1], "action": action, "key": found[2], "note": "已核对"}


async def test_what_is_open_is_counted_shown_and_settled(app: Starlette, world: World) -> None:
    await short(world)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(world.scene, *ALL))
        payments = await visitor.get("/staff/payments")
        assert "支付异常 1 项待处理" in seen(payments) and f'href="{LIST}"' in payments.text
        page = await visitor.get(LIST)
        assert "实付金额不足 ¥99.99 待处理" in seen(page) and "支付宝" in seen(page)
        assert page.text.count('aria-current="page"') == 2, "in the side and below, each once"
        assert "抵缴账单" not in seen(page), "no part of a bill may be paid here"
        refused = await visitor.post(SETTLE, {**form(page.text, "REFUND"), "note": " "}, **HTMX)
        assert 'role="alert"' in refused.text
        card = await visitor.post(SETTLE, form(page.text, "PREPAY"), **HTMX)
        assert "已处理" in seen(card) and "转入房屋预存款 · 王师傅" in seen(card) and "已核对" in seen(card)
        again = await visitor.post(SETTLE, {**form(page.text, "PREPAY"), "key": str(uuid4())}, **HTMX)
        assert "这项异常已经处理过" in seen(again)
        assert "没有待处理的支付异常" in seen(await visitor.get(LIST))
        assert "转入房屋预存款" in seen(await visitor.get(f"{LIST}?state=CLOSED", **HTMX))
        assert "没有这样的支付异常" in seen(await visitor.get(f"{LIST}?state=CLOSED&kind=REFUSED", **HTMX))
        assert "待处理" not in seen(await visitor.get("/staff/payments"))
    books = await trial_balance(world.scene.compound_id)
    assert books == {"clearing": 9_999, "prepayment": -9_999, "receivable": 10_000, "income": -10_000}
    await check_books()


async def test_a_refund_is_asked_for_here_and_decided_among_refunds(app: Starlette, world: World) -> None:
    await short(world)
    async with visiting(app) as clerk, visiting(app) as manager:
        await clerk.sign_in(await staff_of(world.scene, *READS, permissions.REFUNDS_REQUEST))
        await manager.sign_in(await staff_of(world.scene, *READS, permissions.REFUNDS_DECIDE))
        page = await clerk.get(LIST)
        assert "转入房屋预存款" not in seen(page)
        card = await clerk.post(SETTLE, form(page.text, "REFUND"), **HTMX)
        assert "等待另一位同事审批" in seen(card) and "已申请退回付款人，等待审批" in seen(card)
        shown = await manager.get("/staff/refunds")
        assert "金额不足" in seen(shown) and "¥99.99" in seen(shown)
        found = re.search(
            r'name="refund" value="([^"]+)"><input type="hidden" name="key" value="([^"]+)"', shown.text
        )
        assert found is not None
        await manager.post(
            "/staff/refunds/decide", {"refund": found[1], "key": found[2], "decision": "APPROVE"}
        )
        assert "没有待处理的支付异常" in seen(await manager.get(LIST))
        assert "申请退回付款人" in seen(await manager.get(f"{LIST}?state=CLOSED"))


async def test_a_loss_is_confirmed_by_a_second_person(app: Starlette, world: World) -> None:
    await gone(world)
    async with visiting(app) as one, visiting(app) as other:
        await one.sign_in(await staff_of(world.scene, *ALL))
        await other.sign_in(await staff_of(world.scene, *ALL))
        page = await one.get(LIST)
        asked = form(page.text, "WRITE_OFF")
        card = await one.post(SETTLE, asked, **HTMX)
        assert "等待另一位同事确认" in seen(card) and 'value="WRITE_OFF"' not in card.text
        assert "不能确认自己提出的处理" in seen(
            await one.post(SETTLE, {**asked, "key": str(uuid4())}, **HTMX)
        )
        shown = await other.get(LIST)
        assert "确认：记为损失" in seen(shown) and "待确认 记为损失 · 王师傅" in seen(shown)
        assert "已处理" in seen(await other.post(SETTLE, form(shown.text, "WRITE_OFF"), **HTMX))
    assert (await trial_balance(world.scene.compound_id))["write_off"] == 100


async def test_what_is_of_no_compound_is_for_whoever_runs_the_installation(
    app: Starlette, world: World, channel: ScriptedChannel
) -> None:
    said = {"id": uuid4().hex, "sign": "genuine", "out_trade_no": "ELSEWHERE2", "state": "paid", "channel_no": "9",
            "fen": 77, "paid_at": "2026-07-01T00:00:00+00:00"}  # fmt: skip
    await intake.take_notification(channel, {}, orjson.dumps(said))
    async with visiting(app) as operator, visiting(app) as clerk:
        await operator.sign_in(await identity.login_of(await jobs.operator_account("audit.read")))
        page = await operator.get(f"{LIST}?of=NONE")
        assert "未知订单的通知 ¥0.77" in seen(page) and "ELSEWHERE2" in seen(page)
        assert "已处理" in seen(await operator.post(SETTLE, form(page.text, "NOTE"), **HTMX))
        await clerk.sign_in(await staff_of(world.scene, *ALL))
        assert (await clerk.get(f"{LIST}?of=NONE")).status_code == 403


async def test_without_the_permission_or_with_a_forged_form_nothing_happens(
    app: Starlette, world: World
) -> None:
    await forged(world)
    await short(world)
    rows = "SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM payment_exception t"
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(world.scene, *ALL))
        page = await visitor.get(LIST)
        fields = [form(page.text, action) for action in ("NOTE", "PREPAY", "REFUND")]
        before = await database.fetchval(rows)
        for each in fields:
            assert (await visitor.post(SETTLE, each, token="forged")).status_code == 403
    for granted, there in (
        ((*READS,), world.scene),
        (("estate.read",), world.scene),
        (ALL, await residents.scene()),
    ):
        async with visiting(app) as visitor:
            await visitor.sign_in(await staff_of(there, *granted))
            home = await visitor.get("/staff/search")
            assert (f'href="{LIST}"' in home.text) == (permissions.PAYMENTS_READ in granted)
            if permissions.PAYMENTS_READ not in granted:
                assert (await visitor.get(LIST)).status_code == 403
            for each in fields:
                assert (await visitor.post(SETTLE, each)).status_code in (303, 403, 404)
    assert await database.fetchval(rows) == before
