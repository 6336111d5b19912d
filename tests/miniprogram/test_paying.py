"""Paying (缴费) by the platforms' cashiers and back: paid, not paid, given up, and when nobody knows."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from uuid import UUID

import pytest
import uvicorn
from playwright.async_api import Browser, Request, Route, expect

from api.app import build_app
from api.instance import Addresses, running
from api.keys import Keys
from api.settings import Settings
from domains.kernel import clock, database
from tests.factories import bills, residents
from tests.factories.ledger import check_books
from tests.factories.residents import Scene
from tests.miniprogram import axe
from tests.miniprogram.node import CLIENT
from tests.miniprogram.phone import WIDER, Phone, phone
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("instance")
FEN = 12_345
DOCUMENTS = json.loads((CLIENT / "documents.json").read_text(encoding="utf-8"))
HINT, READ = (
    next(digest for digest, text in DOCUMENTS.items() if operation in text)
    for operation in ("mutation ConfirmPaymentHint(", "query Payment(")
)


@pytest.fixture(scope="module")
def door() -> Iterator[socket.socket]:
    """Where the server will listen: a cashier has to know before it starts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture(scope="module")
def reached(settings: Settings, door: socket.socket) -> Settings:
    """Settings that know their address."""
    return settings.model_copy(update={"port": door.getsockname()[1], "trusted_documents_only": True})


@pytest.fixture(scope="module")
async def instance(reached: Settings, addresses: Addresses, stand: Stand) -> AsyncIterator[Keys]:
    """A running instance that takes payments at the stand-ins."""
    url = str(stand.http.base_url).rstrip("/")
    async with running(reached, replace(addresses, platform_url=url)) as keys:
        yield keys


@pytest.fixture(scope="module")
async def served(reached: Settings, instance: Keys, door: socket.socket) -> AsyncIterator[str]:
    """The address that the cashiers lead back to."""
    config = uvicorn.Config(
        build_app(reached), loop="none", lifespan="off", log_config=None, ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([door]))
    while not server.started:
        await asyncio.sleep(0.02)
    yield reached.url
    server.should_exit = True
    server.force_exit = True
    await serving


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def each(served: str, opened: Browser, scene: Scene) -> AsyncIterator[Phone]:
    """The owner's phone; it leaves for a cashier in the middle of things, and the cashier's page has no icon."""
    async with phone(opened, served, scene.owner.account_id) as held:
        held.window.provoked += ["favicon.ico", "WebSocket"]
        yield held


async def to_cashier(each: Phone, scene: Scene, channel: str) -> UUID:
    """A bill, and the way to the cashier of it."""
    bill = await bills.bill(scene.house_id, FEN)
    await each.open("bills")
    await each.page.get_by_role("button", name="去支付").click()
    sheet = each.page.get_by_role("dialog")
    await sheet.get_by_role("radio", name=channel).click()
    await sheet.get_by_role("button", name="支付 ¥").click()
    await expect(each.page.get_by_text("收银台")).to_be_visible()
    return bill


async def paid_of(bill: UUID) -> tuple[int, int]:
    """How many payments there are of it, and how much of it is paid."""
    row = await database.fetchrow(
        "SELECT count(DISTINCT i.order_id) AS orders, max(p.settled_fen) AS fen FROM payable p "
        "JOIN payment_item i ON i.payable_id = p.id WHERE p.subject_id = $1 AND p.subject_type = 'bill'",
        bill,
    )
    assert row is not None
    return row["orders"], row["fen"]


@pytest.mark.parametrize("channel", ["支付宝", "微信支付"])
async def test_it_is_paid_at_the_cashier_and_comes_back_with_a_receipt(
    each: Phone, scene: Scene, channel: str
) -> None:
    bill = await to_cashier(each, scene, channel)
    await each.page.get_by_role("button", name="支付").click()
    await expect(each.says("已支付")).to_be_visible(timeout=15_000)
    assert "/app/" in each.page.url
    assert not await axe.serious(each.page)
    assert not await each.page.evaluate(WIDER)
    async with each.page.expect_download() as download:
        await each.page.get_by_role("button", name="打开收据").click()
    assert (await download.value).suggested_filename.endswith(".pdf")
    assert await paid_of(bill) == (1, FEN)
    await check_books()
    await each.page.get_by_role("button", name="回到账单").click()
    await expect(each.page.get_by_text("没有待缴的账单")).to_be_visible()
    await each.open("payments")
    await expect(each.says("¥123.45")).to_be_visible()
    assert not await axe.serious(each.page)
    assert not await each.page.evaluate(WIDER)


async def test_an_older_answer_does_not_take_back_that_it_is_paid(each: Phone, scene: Scene) -> None:
    """The platform is asked while it tells: the answer to the question may be the older one, and come last."""
    bill = await to_cashier(each, scene, "支付宝")
    is_told = asyncio.Event()

    async def older(route: Route) -> None:
        asked = route.request.post_data or ""
        if HINT not in asked and READ not in asked:
            await route.continue_()
            return
        answer = await route.fetch()
        told = (await answer.text()).replace('"state":"PAID"', '"state":"OPEN"')
        if HINT in asked:
            await is_told.wait()
        await route.fulfill(response=answer, body=told)

    await each.page.route("**/graphql", older)
    async with each.page.expect_response(lambda answer: HINT in (answer.request.post_data or "")):
        await each.page.get_by_role("button", name="支付").click()
        await expect(each.says("已支付")).to_be_visible(timeout=15_000)
        is_told.set()
    await each.page.wait_for_load_state("networkidle")
    await expect(each.page.get_by_role("button", name="回到账单")).to_be_enabled()
    await expect(each.says("已支付")).to_be_visible()
    await expect(each.says("等待支付")).to_have_count(0)
    assert await paid_of(bill) == (1, FEN)


async def test_who_turns_back_goes_on_with_the_same_payment_or_gives_it_up(each: Phone, scene: Scene) -> None:
    bill = await to_cashier(each, scene, "支付宝")
    await each.page.get_by_role("button", name="取消").click()
    await each.page.get_by_role("link", name="返回商家").click()
    await expect(each.says("等待支付")).to_be_visible()
    await expect(each.page.get_by_text("不会重复扣款")).to_be_visible()
    assert not await axe.serious(each.page)
    await each.page.get_by_role("button", name="继续支付").click()
    await expect(each.page.get_by_text("收银台")).to_be_visible()
    await each.page.go_back()
    await each.page.get_by_role("button", name="取消支付").click()
    await each.page.get_by_role("dialog").get_by_role("button", name="取消支付").click()
    await expect(each.says("已关闭")).to_be_visible()
    assert await paid_of(bill) == (1, 0)
    await each.page.get_by_role("button", name="回到账单重新支付").click()
    await expect(each.page.get_by_text("1 笔待缴")).to_be_visible()
    await expect(each.page.get_by_role("checkbox", checked=True)).to_have_count(1)


async def test_a_lost_answer_and_a_second_tap_begin_no_second_payment(each: Phone, scene: Scene) -> None:
    bill = await bills.bill(scene.house_id, FEN)
    await each.open("bills")
    await each.page.get_by_role("button", name="去支付").click()
    lost: list[str] = []
    keys: list[str] = []

    def note(request: Request) -> None:
        variables = json.loads(request.post_data or "{}").get("variables") or {}
        if key := variables.get("input", {}).get("idempotencyKey"):
            keys.append(key)

    async def lose(route: Route) -> None:
        answer = await route.fetch()
        lost.append(await answer.text())
        await route.abort("connectionreset")

    each.window.provoked += ["ERR_CONNECTION_RESET"]
    each.page.on("request", note)
    await each.page.route("**/graphql", lose, times=1)
    await each.page.get_by_role("dialog").get_by_role("button", name="支付 ¥").dblclick()
    await expect(each.page.get_by_text("收银台")).to_be_visible()
    assert "payBills" in lost[0]
    assert len(keys) == 2 and len(set(keys)) == 1
    assert await paid_of(bill) == (1, 0)


async def test_another_sum_than_was_agreed_to_is_shown_before_it_is_paid(each: Phone, scene: Scene) -> None:
    bill = await bills.bill(scene.house_id, FEN)
    await each.open("bills")
    await each.page.get_by_role("button", name="去支付").click()
    await bills.pay(bill, 345, clock.today())
    await each.page.get_by_role("dialog").get_by_role("button", name="支付 ¥123.45").click()
    await expect(each.says("等待支付")).to_be_visible()
    await expect(each.says("¥120.00").first).to_be_visible()
    assert "/app/" in each.page.url
    assert await paid_of(bill) == (1, 345)


async def test_money_is_paid_ahead(each: Phone, scene: Scene) -> None:
    await each.open("prepayment")
    await expect(each.says("还没有变动")).to_be_visible()
    assert not await axe.serious(each.page)
    assert not await each.page.evaluate(WIDER)
    await each.page.get_by_role("button", name="预存充值").click()
    sheet = each.page.get_by_role("dialog")
    await sheet.get_by_label("金额（元）").fill("99.555")
    await expect(sheet.get_by_text("请填写金额，最多两位小数")).to_be_visible()
    await sheet.get_by_label("金额（元）").fill("99.5")
    assert not await axe.serious(each.page)
    await sheet.get_by_role("button", name="支付 ¥99.50").click()
    await each.page.get_by_role("button", name="支付", exact=True).click()
    await expect(each.says("已支付")).to_be_visible(timeout=15_000)
    await each.open("prepayment")
    await expect(each.says("¥99.50").first).to_be_visible()
    await expect(each.says("还没有变动")).to_have_count(0)
    async with each.page.expect_download() as download:
        await each.page.get_by_role("button", name="打开近一年的对账单").click()
    assert (await (await download.value).path()).read_bytes().startswith(b"%PDF")
    await check_books()
