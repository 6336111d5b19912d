"""A screen that stays open (久开的页面): over midnight, past the end of a pass, and until the network is back."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from domains.access.service.issuing import Guest
from tests.factories import residents, visits
from tests.factories.residents import Scene
from tests.miniprogram.phone import Phone, phone

pytestmark = pytest.mark.usefixtures("instance")
LATER = "(hours) => { const now = Date.now; Date.now = () => now() + hours * 3_600_000 }"
BACK_IN_FRONT = "document.dispatchEvent(new Event('visibilitychange'))"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def wait(each: Phone, hours: int) -> None:
    """The phone is taken out again after so many hours."""
    await each.page.evaluate(LATER, hours)
    await each.page.evaluate(BACK_IN_FRONT)


async def test_a_pass_that_ended_without_a_network_is_offered_no_more(
    served: str, opened: Browser, scene: Scene
) -> None:
    owner = await residents.resident(scene.owner.account_id)
    await visits.create(owner, scene.house_id, Guest(name="陈阿姨", phone="13911112222"))
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("visitors")
        await each.page.get_by_text("陈阿姨").first.click()
        await expect(each.page.get_by_role("button", name="取消邀请")).to_be_visible()
        await expect(each.page.get_by_role("button", name="发给访客")).to_be_visible()
        await each.leave_network()
        await wait(each, 24 * 40)
        await expect(each.page.get_by_text("未到访").locator("visible=true").first).to_be_visible()
        await expect(each.page.get_by_role("button", name="取消邀请")).to_have_count(0)
        await expect(each.page.get_by_role("button", name="发给访客")).to_have_count(0)


async def test_what_was_today_is_yesterday_on_a_screen_left_open(
    served: str, opened: Browser, scene: Scene
) -> None:
    owner = await residents.resident(scene.owner.account_id)
    await visits.create(owner, scene.house_id, Guest(name="陈阿姨"))
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("visitors")
        said = each.page.locator(".line").first
        await expect(said).to_contain_text("今天")
        await each.leave_network()
        await wait(each, 24)
        await expect(said).to_contain_text("昨天")


async def test_what_could_not_be_read_is_read_when_the_network_is_back(
    served: str, opened: Browser, scene: Scene
) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open()
        await expect(each.page.get_by_text("我的房屋")).to_be_visible()
        await each.page.get_by_role("tab", name="访客").click()
        await expect(each.page.get_by_text("还没有访客")).to_be_visible()
        await each.leave_network()
        await each.page.get_by_role("tab", name="首页").click()
        await each.page.get_by_role("tab", name="访客").click()
        await expect(each.page.get_by_text("暂时连不上").locator("visible=true")).to_be_visible()
        owner = await residents.resident(scene.owner.account_id)
        await visits.create(owner, scene.house_id, Guest(name="陈阿姨"))
        await each.window.context.set_offline(False)
        await expect(each.page.get_by_text("陈阿姨")).to_be_visible()
        await expect(each.page.get_by_text("暂时连不上").locator("visible=true")).to_have_count(0)


async def test_a_clock_that_is_a_day_ahead_ends_no_pass(served: str, opened: Browser, scene: Scene) -> None:
    owner = await residents.resident(scene.owner.account_id)
    await visits.create(owner, scene.house_id, Guest(name="陈阿姨"))
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.page.add_init_script("{ const now = Date.now; Date.now = () => now() + 40 * 86_400_000 }")
        await each.open("visitors")
        said = each.page.locator(".line").first
        await expect(said).to_contain_text("今天")
        await expect(said).to_contain_text("待到访")


async def test_signing_out_without_a_network_forgets_on_this_phone(
    served: str, opened: Browser, scene: Scene
) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("sign-in")
        await expect(each.page.get_by_label("手机号")).to_be_visible()
        await each.open("account")
        await expect(each.page.get_by_role("button", name="退出登录")).to_be_visible()
        await each.leave_network()
        await each.page.get_by_role("button", name="退出登录").click()
        await each.page.get_by_role("dialog").get_by_role("button", name="退出登录").click()
        await expect(each.page.get_by_label("手机号")).to_be_visible()
        assert (
            await each.page.evaluate("Object.keys(localStorage).filter((key) => /session|kept/.test(key))")
            == []
        )


async def test_a_link_that_was_cut_off_says_so_in_plain_words(
    served: str, opened: Browser, scene: Scene
) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("bill?id=Qml")
        await expect(each.page.get_by_text("这个链接不完整或已失效")).to_be_visible()
        await each.open("code")
        await expect(each.page.get_by_text("我的住户码").locator("visible=true").first).to_be_visible()


async def test_a_phone_number_is_pasted_as_it_was_written(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("household")
        await each.page.get_by_role("button", name="邀请", exact=False).first.click()
        field = each.page.get_by_label("手机号")
        await field.fill("+86 138 0013 8000")
        await expect(field).to_have_value("+86 138 0013 8000")
