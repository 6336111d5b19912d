"""Runs, bills, arrears, dunning and the books in a real browser: on a phone and on a desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from playwright.async_api import Browser, expect

from domains.billing import permissions
from domains.billing.book_links import LinkedMonth, link_to
from domains.billing.models import Bill, Correction
from domains.billing.run_jobs import post_runs
from domains.billing.service.corrections import request_waiver
from domains.billing.service.publishing import publish_accounts
from domains.kernel import clock
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.browser.driving import DESK, LOOKS, NARROW, Window, window
from tests.browser.test_desk import UNLABELLED
from tests.browser.test_pages import CONTRAST, WIDER
from tests.factories import bills, books, charges, dunning, guards, identity, ledger, residents, runs
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
EVERYTHING = (*permissions.LABELS, "estate.read")


@pytest.fixture
async def scene() -> Scene:
    """Places and people that no other test uses."""
    return await residents.scene()


@pytest.fixture(params=[NARROW, DESK], ids=["phone", "desk"])
async def desk(
    served: str, opened: Browser, scene: Scene, request: pytest.FixtureRequest
) -> AsyncIterator[Window]:
    """Somebody who may do everything with bills, signed in, on a phone and on a desk."""
    async with window(opened, request.param) as each:
        await each.sign_in(served, await staff_of(scene, *EVERYTHING), identity.PASSWORD)
        await each.page.wait_for_url("**/staff/search")
        yield each


async def test_a_run_goes_from_its_preview_to_its_bills(desk: Window, served: str, scene: Scene) -> None:
    await charges.item(scene.compound_id, name="物业费")
    page = desk.page
    await page.goto(f"{served}/staff/billing-runs")
    await page.fill("#month", "2026-03")
    await page.get_by_role("button", name="预览出账").click()
    await expect(page.locator("[aria-labelledby=by-item]")).to_contain_text("物业费")
    await page.get_by_role("button", name="提交审批").dblclick()
    await page.get_by_role("button", name="批准出账").click()
    await expect(page.locator("#progress")).to_contain_text("已处理 0")
    await post_runs(None)
    await expect(page.locator("[aria-labelledby=bills]")).to_contain_text("1号楼1单元101")
    await page.locator("[aria-labelledby=bills] a").first.click()
    await expect(page.locator("h1")).to_contain_text("账单")
    assert await Bill.filter(compound_id=scene.compound_id).exists()


async def test_a_waiver_is_asked_for_by_the_keyboard(desk: Window, served: str, scene: Scene) -> None:
    id = await bills.bill(scene.house_id, 10_000)
    page = desk.page
    await page.goto(f"{served}/staff/bills/one?bill={encode('Bill', id)}")
    await page.locator("summary", has_text="申请减免").focus()
    await page.keyboard.press("Enter")
    await page.locator("form:visible input[name=amount]").fill("20")
    await page.locator("form:visible textarea").fill("漏水")
    await page.get_by_role("button", name="提交减免申请").dblclick()
    await expect(page.locator("#notices")).to_contain_text("等待另一位同事审批")
    assert await Correction.filter(bill_id=id, kind="waiver", amount_fen=2_000).count() == 1


async def test_a_house_in_arrears_is_found_and_reminded(desk: Window, served: str, scene: Scene) -> None:
    await bills.bill(scene.house_id, 12_300, due_on=clock.today() - timedelta(days=40))
    page = desk.page
    await page.goto(f"{served}/staff/arrears")
    await page.locator("#words").press_sequentially("不是", delay=20)
    await expect(page.locator("#rows")).to_contain_text("没有欠费")
    await page.fill("#words", "101")
    await expect(page.locator("#rows")).to_contain_text("¥123.00")
    await page.get_by_role("button", name="立即催缴").click()
    await expect(page.locator("#rows")).to_contain_text("已发出催缴通知")


async def paths(scene: Scene) -> list[str]:
    """Every page of this part, with something on it."""
    today = clock.today()
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    await charges.item(scene.compound_id, name="物业服务费(含电梯)")
    await charges.item(scene.compound_id, None, name="没有标准的费")
    run = await runs.approved(scene.compound_id, month)
    await bills.late_fee_rule(scene.compound_id)
    id = await bills.bill(scene.house_id, 268_800, month=month, due_on=month.replace(day=15))
    with books.on(month.replace(day=9)):
        await bills.pay(id, 100_000, month.replace(day=9))
    await ledger.prepay(scene.compound_id, scene.house_id, 50_000)
    asker = await guards.guard(scene, permissions.CORRECTIONS_REQUEST, permissions.BILLS_READ)
    await request_waiver(
        asker, bill_id=id, reason="楼上漏水，经协商减免", concern="principal", amount_fen=2_000
    )
    await books.expense(scene.compound_id, 88_050, month.replace(day=5))
    await dunning.steps(scene, (-3, "message"), ((today - month.replace(day=15)).days, "letter"))
    await dunning.remind(today)
    span = str(month)[:7]
    return [
        "/staff/billing-runs", f"/staff/billing-runs/preview?month={span}",
        f"/staff/billing-runs/one?run={encode('BillingRun', run)}", "/staff/bills",
        f"/staff/bills/one?bill={encode('Bill', id)}",
        f"/staff/bills/account?house={encode('House', scene.house_id)}", "/staff/corrections", "/staff/arrears",
        "/staff/arrears/promises", "/staff/dunning", f"/staff/books?month={span}", "/staff/books/expenses",
    ]  # fmt: skip


@LOOKS
async def test_published_accounts_fit_a_residents_phone(
    served: str, opened: Browser, scene: Scene, size: tuple[int, int], dark: bool, locale: str
) -> None:
    month = date(2026, 3, 1)
    with books.on(month):
        await bills.pay(await bills.bill(scene.house_id, 268_800, month=month), 100_000, month)
    await books.expense(scene.compound_id, 88_050, month)
    publisher = await guards.guard(scene, permissions.BOOKS_PUBLISH)
    await publish_accounts(publisher, compound_id=scene.compound_id, month=month, note="请邻居们查阅")
    path = link_to(LinkedMonth(scene.compound_id, month, clock.now())).path
    examined = size == NARROW
    async with window(opened, size, dark=dark, locale=locale, examined=examined) as each:
        await each.page.goto(served + path)
        for summary in await each.page.locator("main summary").all():
            await summary.click()
        await expect(each.page.locator("main")).to_contain_text("¥1,000.00")
        assert not await each.page.evaluate(WIDER)
        assert await each.page.evaluate(CONTRAST) == [] and await each.page.evaluate(UNLABELLED) == []
        assert await each.barriers() == []
        each.provoked.append("404")
        await each.page.goto(f"{served}/books/{'A' * 80}")
        assert not await each.page.evaluate(WIDER) and await each.page.evaluate(CONTRAST) == []
        assert await each.barriers() == []
        assert await each.page.locator("h1").count() == 1 and "¥" not in await each.page.content()


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
