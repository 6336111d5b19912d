"""Bills (账单): what is open explained and chosen, what was paid with its receipts, and without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from playwright.async_api import Browser, expect

from domains.billing.queries import bills as queries
from domains.billing.service.desk_payments import Charge, record_desk_payment
from domains.kernel import clock
from payments import permissions
from schema.relay import encode
from tests.factories import bills, ledger, relaying, residents
from tests.factories.residents import Scene
from tests.miniprogram import axe
from tests.miniprogram.phone import LARGEST, WIDER, Phone, phone

pytestmark = pytest.mark.usefixtures("instance")
NOVEMBER = date(2025, 11, 1)
DECEMBER = date(2025, 12, 1)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def each(served: str, opened: Browser, scene: Scene) -> AsyncIterator[Phone]:
    """The owner's phone."""
    async with phone(opened, served, scene.owner.account_id) as held:
        yield held


async def owe(scene: Scene, month: date, fen: int, name: str = "物业费") -> str:
    """An open bill of a fee of that name, due next week; its global id."""
    item = await bills.item(scene.compound_id, name=f"{name}{month.month}月")
    due_on = clock.today() + timedelta(days=7)
    made = await bills.bill(scene.house_id, {item: fen}, month=month, due_on=due_on)
    return encode("Bill", made)


async def fits(each: Phone) -> None:
    """Nothing is out of sight, nothing out of reach."""
    assert not await axe.serious(each.page)
    assert not await each.page.evaluate(WIDER)


async def test_what_is_open_is_explained_and_chosen(each: Phone, scene: Scene) -> None:
    await owe(scene, NOVEMBER, 25_068)
    await owe(scene, DECEMBER, 9_000)
    sent: list[str] = []
    each.page.on("request", lambda request: sent.append(request.url))
    await each.open("bills")
    await expect(each.page.get_by_text("2 笔待缴")).to_be_visible()
    await expect(each.page.get_by_text("已选 2 笔")).to_be_visible()
    await expect(each.page.get_by_text("¥340.68")).to_have_count(2)
    assert len([url for url in sent if url.endswith("/graphql")]) == 1
    await fits(each)
    await each.page.get_by_role("checkbox").filter(has_text="2025年12月").click()
    await expect(each.page.get_by_text("已选 1 笔")).to_be_visible()
    await each.page.get_by_role("button", name="看明细").first.click()
    await expect(each.page.get_by_text("物业费11月")).to_be_visible()
    await expect(each.page.get_by_text("元/月")).to_be_visible()
    await each.page.get_by_role("button", name="去支付").click()
    sheet = each.page.get_by_role("dialog")
    await expect(sheet.get_by_role("button", name="支付 ¥250.68")).to_be_visible()
    await expect(sheet.get_by_role("radio", name="微信支付")).to_be_visible()
    await fits(each)


async def test_bills_of_two_compounds_are_not_paid_at_once(each: Phone, scene: Scene) -> None:
    other = await residents.scene()
    await residents.occupancy(
        other.house_id,
        await residents.person(other.compound_id, scene.owner.name, account_id=scene.owner.account_id),
    )
    await owe(scene, NOVEMBER, 1_000)
    await owe(other, DECEMBER, 2_000)
    await each.open("bills")
    await expect(each.page.get_by_text("不同小区的账单要分开支付")).to_be_visible()
    await expect(each.page.get_by_role("checkbox", checked=True)).to_have_count(1)
    await each.page.get_by_role("checkbox", checked=False).click()
    await expect(each.page.get_by_role("checkbox", checked=True)).to_have_count(1)
    await expect(each.page.get_by_text("已选 1 笔")).to_be_visible()


async def test_a_paid_bill_has_its_lines_and_its_receipt(each: Phone, scene: Scene) -> None:
    bill = await bills.bill(scene.house_id, {await bills.item(scene.compound_id, name="物业费"): 12_345})
    staff = scene.staff(*permissions.LABELS, "bills.read")
    await record_desk_payment(staff, charge=Charge(scene.house_id, [bill]), method="cash")
    await each.open("bills")
    # Before the bill itself knows.
    await expect(each.page.get_by_text("没有待缴的账单")).to_be_visible()
    await relaying.deliver()
    await each.page.reload()
    await each.page.get_by_role("button").filter(has_text="2026年3月").click()
    await expect(each.says("费用明细")).to_be_visible()
    await expect(each.says("物业费")).to_be_visible()
    await expect(each.says("已缴清")).to_be_visible()
    await fits(each)
    async with each.page.expect_download() as download:
        await each.page.get_by_role("button", name="收据").click()
    assert (await download.value).suggested_filename.startswith("SJ")
    content = (await (await download.value).path()).read_bytes()
    assert content.startswith(b"%PDF")


async def test_what_was_paid_of_it_adds_up(each: Phone, scene: Scene) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    due_on = clock.today() - timedelta(days=10)
    item = await bills.item(scene.compound_id, name="物业费")
    bill = await bills.bill(scene.house_id, {item: 100_000}, due_on=due_on, late_fee_rule_id=rule)
    await bills.pay(bill, 30_050, due_on)
    owed = (await queries.by_id(await residents.caller(scene, "owner"), [bill]))[bill]
    assert owed.outstanding_fen == 69_950 + owed.late_fee_fen > 69_950
    await each.open("bills")
    await each.page.get_by_role("button", name="看明细").click()
    shown = each.page.locator(".bill-lines")
    for words in ("¥1,000.00", "−¥300.50", yuan(owed.late_fee_fen), f"待缴{yuan(owed.outstanding_fen)}"):
        await expect(shown).to_contain_text(words)
    await expect(each.page.locator(".paybar")).to_contain_text(yuan(owed.outstanding_fen))
    await fits(each)
    assert await ledger.trial_balance(scene.compound_id) == {
        "suspense": 30_050,
        "receivable": 69_950,
        "income": -100_000,
    }


def yuan(fen: int) -> str:
    """As the screen writes it."""
    return f"¥{fen // 100:,}.{fen % 100:02d}"


async def test_a_bill_of_somebody_elses_is_not_shown(each: Phone, scene: Scene) -> None:
    theirs = await bills.bill(scene.next_door_id, 5_000)
    await each.open(f"bill?id={encode('Bill', theirs)}")
    await expect(each.page.get_by_text("没有找到这笔账单")).to_be_visible()
    await fits(each)


async def test_past_bills_go_on(each: Phone, scene: Scene) -> None:
    for number in range(22):
        month = date(2024 + number // 12, number % 12 + 1, 1)
        await bills.bill(scene.house_id, 0, month=month)
    await each.open("bills")
    await expect(each.page.get_by_text("2025年10月")).to_be_visible()
    await expect(each.page.get_by_text("2024年1月", exact=True)).to_have_count(0)
    await each.page.get_by_role("button", name="加载更多").click()
    await expect(each.page.get_by_text("2024年1月", exact=True)).to_be_visible()
    await expect(each.page.get_by_text("没有更多了")).to_be_visible()


async def test_bills_are_read_without_a_network(each: Phone, scene: Scene) -> None:
    await owe(scene, NOVEMBER, 25_068)
    await each.open("bills")
    await expect(each.page.get_by_text("1 笔待缴")).to_be_visible()
    await each.page.get_by_role("tab", name="我的").click()
    await expect(each.page.get_by_text("退出登录")).to_be_visible()
    await each.leave_network()
    await each.page.get_by_role("tab", name="账单").click()
    await expect(each.page.get_by_text("暂时连不上")).to_be_visible()
    await expect(each.page.get_by_text("1 笔待缴")).to_be_visible()
    await each.page.get_by_role("button", name="看明细").click()
    await expect(each.page.get_by_text("物业费11月")).to_be_visible()
    await each.page.get_by_role("button", name="去支付").click()
    await each.page.get_by_role("dialog").get_by_role("button", name="支付 ¥250.68").click()
    await expect(each.page.get_by_text("网络连接不上")).to_be_visible()


async def test_large_dark_and_high_contrast_fit_a_narrow_phone(
    served: str, opened: Browser, scene: Scene
) -> None:
    bill = await owe(scene, NOVEMBER, 12_345_678)
    async with phone(opened, served, scene.owner.account_id, look=LARGEST) as each:
        for page, shown in (
            ("bills", "1 笔待缴"),
            (f"bill?id={bill}", "费用明细"),
            ("payments", "还没有支付记录"),
        ):
            await each.open(page)
            await expect(each.page.get_by_text(shown).first).to_be_visible()
            await fits(each)
