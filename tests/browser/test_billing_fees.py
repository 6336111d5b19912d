"""Fees and meters in a real browser: on a phone and on a desk, by the keyboard."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.async_api import Browser, expect

from domains.billing import permissions
from domains.billing.models import MeterReading, OneOffCharge
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.browser.driving import DESK, NARROW, window
from tests.browser.test_desk import UNLABELLED
from tests.browser.test_pages import CONTRAST, WIDER
from tests.factories import billing, charges, identity, meters, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
EVERYTHING = (*permissions.LABELS, "estate.read", "residents.read")
SIZES = pytest.mark.parametrize("size", [NARROW, DESK], ids=["phone", "desk"])


async def paths(scene: Scene) -> dict[str, str]:
    """Every page of this part, with something on it."""
    item = await billing.fee_item(scene.compound_id)
    await billing.fee_item(scene.compound_id, "metered")
    await billing.fee_item(scene.compound_id, "pooled")
    once = await billing.fee_item(scene.compound_id, "one_off", name="门禁卡工本费")
    await charges.one_off(scene.house_id, once, date(2026, 5, 3), 2_550, "补办门禁卡两张")
    await billing.late_fee_rule(scene.compound_id)
    await billing.vacancy(scene.house_id, date(2026, 3, 1), date(2026, 6, 1), "requested")
    meter = await meters.meter(scene.compound_id, scene.house_id, number="S-0001")
    await meters.record(scene.compound_id, meter, 99000)
    return {
        "fee-items": "/staff/fees", "fee-item": f"/staff/fees/one?item={encode('FeeItem', item)}",
        "fee-item-new": "/staff/fees/new?method=METERED", "billing-rules": "/staff/fees/rules",
        "house-terms": "/staff/fees/houses", "shared-costs": "/staff/fees/shared",
        "one-off-charges": "/staff/fees/once",
        "house-terms-one": f"/staff/fees/houses/one?house={encode('House', scene.house_id)}",
        "meters": "/staff/meters", "meter": f"/staff/meters/one?meter={encode('Meter', meter)}",
        "meter-new": "/staff/meters/new", "readings-enter": "/staff/meters/enter",
        "readings-review": "/staff/meters/review", "consumption": "/staff/meters/use",
        "meter-import": "/staff/meters/import",
    }  # fmt: skip


@SIZES
async def test_every_page_fits_and_can_be_read(served: str, opened: Browser, size: tuple[int, int]) -> None:
    scene, is_dark = await residents.scene(), size == DESK
    locale = "en-GB" if is_dark else "zh-CN"
    async with window(opened, size, dark=is_dark, locale=locale, examined=size == NARROW) as each:
        await each.sign_in(served, await staff_of(scene, *EVERYTHING), identity.PASSWORD)
        await each.page.wait_for_url("**/staff/search")
        for name, path in (await paths(scene)).items():
            await each.page.goto(served + path)
            for summary in await each.page.locator("main summary").all():
                await summary.click()
            assert not await each.page.evaluate(WIDER), name
            assert await each.page.evaluate(CONTRAST) == [], name
            assert await each.barriers() == [], name
            assert await each.page.evaluate(UNLABELLED) == [], name
            assert await each.page.locator("h1").count() == 1


@SIZES
async def test_houses_are_charged_by_the_keyboard(
    served: str, opened: Browser, size: tuple[int, int]
) -> None:
    scene = await residents.scene()
    await billing.fee_item(scene.compound_id, "one_off", name="门禁卡工本费")
    async with window(opened, size) as each:
        await each.sign_in(served, await staff_of(scene, *EVERYTHING), identity.PASSWORD)
        await each.page.wait_for_url("**/staff/search")
        await each.page.goto(f"{served}/staff/fees/once")
        await each.page.get_by_label("每户金额（元）").fill("25.5")
        await each.page.get_by_label("房号", exact=True).fill("1-1-101\n1-1-102")
        await each.page.get_by_label("原因（住户会看到）").fill("补办门禁卡")
        await each.page.keyboard.press("Enter")
        await expect(each.page.locator("[aria-labelledby=draft]")).to_contain_text("¥51.00")
        assert not await each.page.evaluate(WIDER) and await each.page.evaluate(CONTRAST) == []
        await each.page.get_by_role("button", name="确认收费 ¥51.00").dblclick()
        await expect(each.page.locator("#notices")).to_contain_text("已登记 2 户的收费")
        await expect(each.page.locator("#rows tr")).to_have_count(2)
    assert await OneOffCharge.filter(compound_id=scene.compound_id).count() == 2


@SIZES
async def test_readings_are_entered_by_the_keyboard(
    served: str, opened: Browser, size: tuple[int, int]
) -> None:
    scene = await residents.scene()
    ids = [await meters.meter(scene.compound_id, scene.house_id, number=f"K-{n}") for n in range(2)]
    async with window(opened, size) as each:
        await each.sign_in(served, await staff_of(scene, *EVERYTHING), identity.PASSWORD)
        await each.page.wait_for_url("**/staff/search")
        await each.page.goto(f"{served}/staff/meters/enter")
        await each.page.locator(".entry input").first.focus()
        for value in ("105", "106"):
            await each.page.keyboard.type(value)
            await each.page.keyboard.press("Enter")
        await expect(each.page.locator("#notices")).to_contain_text("已录入 2 个读数")
    kept = await MeterReading.filter(meter_id__in=ids, source="staff")
    assert sorted(int(each.value) for each in kept) == [105, 106]
