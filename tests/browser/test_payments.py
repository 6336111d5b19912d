"""The desk, payments, refunds and the ledger in a real browser: on a phone and on a desk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from domains.billing import permissions as billing
from payments import permissions
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.payments.cases import World
from tests.api.payments.test_exceptions import gone, short
from tests.browser.driving import DESK, LOOKS, NARROW, Window, window
from tests.browser.test_desk import UNLABELLED
from tests.browser.test_pages import CONTRAST, WIDER
from tests.factories import bills, identity, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import trial_balance
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
EVERYTHING = (*permissions.LABELS, billing.BILLS_READ, "estate.read")


@pytest.fixture
async def scene() -> Scene:
    """Places and people that no other test uses."""
    return await residents.scene()


@pytest.fixture(params=[NARROW, DESK], ids=["phone", "desk"])
async def cashier(
    served: str, opened: Browser, scene: Scene, request: pytest.FixtureRequest
) -> AsyncIterator[Window]:
    """Somebody who may do everything with payments, signed in, on a phone and on a desk."""
    async with window(opened, request.param) as each:
        await each.sign_in(served, await staff_of(scene, *EVERYTHING), identity.PASSWORD)
        await each.page.wait_for_url("**/staff/search")
        yield each


async def test_cash_is_counted_while_it_is_typed_and_taken_once(
    cashier: Window, served: str, scene: Scene
) -> None:
    for fen in (10_000, 2_345):
        await bills.bill(scene.house_id, fen)
    page = cashier.page
    await page.goto(f"{served}/staff/desk")
    await page.fill("#house", "1号楼1单元101")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="1号楼1单元101").click()
    await expect(page.locator("#sum")).to_contain_text("¥123.45")
    await page.locator("input[name=bill]").last.uncheck()
    await expect(page.locator("#sum")).to_contain_text("¥100.00")
    await page.locator("#given").press_sequentially("150", delay=20)
    await expect(page.locator("#sum")).to_contain_text("找零 ¥50.00")
    await page.get_by_role("button", name="确认收款").dblclick()
    await expect(page.locator("#notices")).to_contain_text("已收款 ¥100.00，找零 ¥50.00")
    assert await trial_balance(scene.compound_id) == {
        "drawer": 10_000, "receivable": 2_345, "income": -12_345,
    }  # fmt: skip


async def test_trouble_is_settled_by_a_click_and_a_word(cashier: Window, served: str, scene: Scene) -> None:
    with channel_of(ScriptedChannel()) as channel:
        await short(World(scene, channel))
    page = cashier.page
    await page.goto(f"{served}/staff/payments")
    await page.get_by_role("link", name="支付异常 1 项待处理").click()
    await expect(page.get_by_role("heading", name="实付金额不足 ¥99.99")).to_be_visible()
    await page.locator("summary", has_text="转入房屋预存款").click()
    await page.get_by_role("button", name="确定").locator("visible=true").dblclick()
    await expect(page.locator(".case")).to_contain_text("已处理")
    assert await trial_balance(scene.compound_id) == {
        "clearing": 9_999, "prepayment": -9_999, "receivable": 10_000, "income": -10_000,
    }  # fmt: skip


async def paths(scene: Scene) -> list[str]:
    """Every page of this part, with something on it."""
    with channel_of(ScriptedChannel()) as channel:
        world = World(scene, channel)
        paid = await world.at_desk()
        await world.asked_back(await world.paid())
        await world.open()
        await short(world)
        await gone(world)
    house = encode("House", scene.house_id)
    return [
        "/staff/desk?house=101", f"/staff/desk/house?house={house}", "/staff/payments",
        f"/staff/payments/one?payment={encode('Payment', paid)}", "/staff/refunds", "/staff/ledger",
        "/staff/payments/exceptions",
    ]  # fmt: skip


@LOOKS
async def test_every_page_fits_and_can_be_read(
    served: str, opened: Browser, scene: Scene, size: tuple[int, int], dark: bool, locale: str
) -> None:
    examined = size == NARROW
    async with window(opened, size, dark=dark, locale=locale, examined=examined) as each:
        page = each.page
        await each.sign_in(served, await staff_of(scene, *EVERYTHING), identity.PASSWORD)
        await page.wait_for_url("**/staff/search")
        for path in await paths(scene):
            await page.goto(served + path)
            for summary in await page.locator("main summary").all():
                await summary.click()
            assert not await page.evaluate(WIDER), path
            assert await page.evaluate(CONTRAST) == [], path
            assert await each.barriers() == [], path
            assert await page.locator("h1").count() == 1
            assert await page.evaluate(UNLABELLED) == [], path
