"""What one person read on a device (本机留存) is gone for the next one, however slowly it came."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.factories import bills, identity, residents
from tests.factories.residents import Scene
from tests.miniprogram.phone import Phone, phone, session_of

pytestmark = pytest.mark.usefixtures("instance")
KEPT = "Object.keys(localStorage).filter((key) => /session|kept|payment/.test(key))"
TAKE = "([place, kept]) => localStorage.setItem(place, JSON.stringify({ type: 'object', data: kept }))"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def sign_out(each: Phone) -> None:
    await each.page.get_by_role("tab", name="我的").click()
    await each.page.get_by_role("button", name="退出登录").click()
    await each.page.get_by_role("dialog").get_by_role("button", name="退出登录").click()
    await expect(each.page.get_by_label("手机号")).to_be_visible()


async def take_over(page: Page, account_id: UUID) -> None:
    """Somebody else signs in on the same device."""
    credentials = session_of(account_id, await identity.token(account_id))
    await page.evaluate(TAKE, ["linli.session", credentials])


async def test_an_answer_that_comes_after_the_sign_out_is_not_kept(
    served: str, opened: Browser, scene: Scene
) -> None:
    await bills.bill(scene.house_id, 12_345)
    released, answered = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.text()
        if '"due"' in body:
            await released.wait()
        await route.fulfill(response=answer, body=body)
        if '"due"' in body:
            answered.set()

    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("bills")
        await expect(each.page.get_by_text("¥123.45").first).to_be_visible()
        await each.page.get_by_role("tab", name="我的").click()
        await expect(each.page.get_by_role("button", name="退出登录")).to_be_visible()
        await each.page.route("**/graphql", late)
        await each.page.get_by_role("tab", name="账单").click()
        await sign_out(each)
        released.set()
        await asyncio.wait_for(answered.wait(), 10)
        await each.page.wait_for_timeout(300)
        assert await each.page.evaluate(KEPT) == []
        await each.page.unroute_all()
        await take_over(each.page, scene.neighbour.account_id)
        go_on = await each.delay()
        await each.page.reload()
        await each.open("bills")
        await expect(each.page.get_by_role("status", name="正在加载")).to_be_visible()
        await expect(each.page.get_by_text("¥123.45")).to_have_count(0)
        go_on.set()
        await expect(each.page.get_by_text("没有待缴的账单")).to_be_visible()


async def test_what_another_window_kept_goes_too(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("visitors")
        await expect(each.page.get_by_text("还没有访客")).to_be_visible()
        # It is not in this window's list.
        await each.page.evaluate(TAKE, ["linli.kept.other:{}", json.dumps({"data": {}, "at": 1})])
        await sign_out(each)
        assert await each.page.evaluate(KEPT) == []
