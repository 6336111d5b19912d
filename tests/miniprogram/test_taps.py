"""Taps (点按): seen before anything else is done, done once, and at once where the browser asks for a finger."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from domains.access.models import VisitorPass
from tests.factories import residents, visits
from tests.factories.residents import Scene
from tests.miniprogram.phone import phone
from tests.miniprogram.test_visitors import of

pytestmark = pytest.mark.usefixtures("instance")
# What becomes of a tap, in its order: how it looks when a frame was drawn, and when the program hears of it.
FOLLOW = """
window.became = [];
addEventListener('click', ({ isTrusted }) => {
  if (!isTrusted) return window.became.push('done');
  requestAnimationFrame(() => window.became.push(document.querySelector('[data-pressed]') ? 'drawn pressed' : 'drawn'));
}, true);
"""
COPY = """
navigator.clipboard.writeText = () => { window.copied = window.event?.isTrusted ?? false; return Promise.resolve() };
"""


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def test_a_tap_is_seen_and_then_done(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.page.add_init_script(FOLLOW)
        await each.open("visitors")
        await each.page.get_by_role("button", name="邀请访客").click()
        await expect(each.page.get_by_label("访客姓名")).to_be_visible()
        assert await each.page.evaluate("window.became") == ["drawn pressed", "done"]
        assert await each.page.locator("[data-pressed]").count() == 0


async def test_two_taps_are_one(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("visitors")
        await each.page.get_by_role("button", name="邀请访客").dblclick()
        await each.page.get_by_label("访客姓名").fill("陈阿姨")
        await each.page.get_by_role("button", name="邀请", exact=True).dblclick()
        await expect(each.page.get_by_text("把码交给 陈阿姨")).to_be_visible()
        # One page was opened: back from it is the list.
        await each.page.go_back()
        await expect(each.page.get_by_text("将要来访")).to_be_visible()
    assert await VisitorPass.filter(house_id=scene.house_id).count() == 1


async def test_a_tap_by_the_keyboard_counts(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("visitors")
        await each.page.get_by_role("button", name="邀请访客").press("Enter")
        await expect(each.page.get_by_label("访客姓名")).to_be_visible()


async def test_what_browsers_allow_a_finger_alone_is_done_at_once(
    served: str, opened: Browser, scene: Scene
) -> None:
    made = await visits.create(await visits.owner(scene), scene.house_id)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.page.add_init_script(COPY)
        await each.open(of(made))
        await each.page.get_by_role("button", name="复制链接").click()
        await expect(each.page.get_by_text("链接已复制")).to_be_visible()
        assert await each.page.evaluate("window.copied") is True
