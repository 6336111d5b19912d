"""The front door with a demonstration behind it: on a phone and on a desk, light and dark, in both languages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from api.keys import Keys
from api.settings import Settings
from tests.browser.conftest import serving
from tests.browser.driving import DESK, LOOKS, window
from tests.browser.test_pages import CONTRAST, WIDER
from tests.factories import showing

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(scope="module")
async def shown(settings: Settings, instance: Keys) -> AsyncIterator[str]:
    """The address of an installation with a demonstration."""
    with showing.shown(showing.DEMO):
        async with serving(settings) as address:
            yield address


@LOOKS
async def test_it_fits_and_can_be_read(
    shown: str, opened: Browser, size: tuple[int, int], dark: bool, locale: str
) -> None:
    async with window(opened, size, dark=dark, locale=locale, examined=True) as each:
        page = each.page
        await page.goto(shown)
        assert not await page.evaluate(WIDER)
        assert await page.evaluate(CONTRAST) == []
        assert await each.barriers() == []
        assert await page.locator("h1").count() == 1
        codes = page.locator(".face-qr svg")
        assert await codes.count() == 4
        # Whoever holds a phone has no use for a code that leads to it.
        assert [await code.is_visible() for code in await codes.all()] == [size == DESK] * 4


async def test_the_walk_is_reached_and_begun_without_a_script(shown: str, opened: Browser) -> None:
    context = await opened.new_context(java_script_enabled=False, locale="zh-CN")
    page = await context.new_page()
    await page.goto(shown)
    await page.get_by_role("link", name="两分钟走一遍").click()
    await expect(page.get_by_role("heading", name="两分钟走一遍：从请客到收据")).to_be_in_viewport()
    async with context.expect_page() as made:
        await page.get_by_role("link", name="邀请访客").click()
    assert (await made.value).url.endswith("/app/#/pages/invite/index")
    await page.locator(".step", has_text="放行").get_by_role("link").click()
    await expect(page.locator("#login")).to_have_value("guard")
    await context.close()
