"""Open books (账目公示): what was published of a month, with its bars."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.async_api import Browser, expect

from domains.billing import permissions
from domains.billing.service.publishing import publish_accounts
from tests.factories import bills, books, residents
from tests.factories.books import on
from tests.miniprogram import axe
from tests.miniprogram.phone import LARGEST, WIDER, phone

pytestmark = pytest.mark.usefixtures("instance")
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.mark.parametrize("look", [None, LARGEST])
async def test_a_month_is_read_and_the_one_before(
    served: str, opened: Browser, look: dict[str, object] | None
) -> None:
    scene = await residents.scene()
    publisher = scene.staff(permissions.BOOKS_PUBLISH)
    fee = await bills.item(scene.compound_id, name="物业费")
    for month, paid in ((JANUARY, 10_000), (FEBRUARY, 12_500)):
        with on(month):
            bill = await bills.bill(scene.house_id, {fee: 30_000}, month=month)
            await bills.pay(bill, paid, month)
        await books.expense(scene.compound_id, 4_000, month)
        await publish_accounts(publisher, compound_id=scene.compound_id, month=month)
    async with phone(opened, served, scene.owner.account_id, look=look) as each:
        sent: list[str] = []
        each.page.on("request", lambda request: sent.append(request.url))
        await each.open("books")
        # 60.00 of January and 85.00 of February are left.
        await expect(each.says("¥145.00")).to_be_visible()
        await expect(each.says("41.67%")).to_be_visible()
        await expect(each.says("清洁卫生")).to_be_visible()
        assert len([url for url in sent if url.endswith("/graphql")]) == 1
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        await each.page.get_by_role("button", name="月份").click()
        await each.page.get_by_role("dialog").get_by_role("radio", name="2026年1月").click()
        await expect(each.says("33.33%").first).to_be_visible()
        await expect(each.says("¥60.00").first).to_be_visible()
