"""Two windows of one browser (两个窗口), a session that follows another, and a clock that is wrong: nobody sees or ends
what is somebody else's, and one session is renewed once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, Request, expect

from api.instance import Addresses, running
from api.keys import Keys
from api.settings import Settings
from domains.identity.models import Session
from domains.kernel import database
from tests.factories import bills, identity, residents
from tests.factories.residents import Scene
from tests.miniprogram.phone import OFFLINE, Phone, phone
from tests.miniprogram.signing_in import sign_in
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("instance")
LATER = "(() => { const now = Date.now; Date.now = () => now() + 16 * 60_000 })()"
AHEAD = "{ const now = Date.now; Date.now = () => now() + 60 * 60_000 }"
TAKE = """([place, kept]) => localStorage.setItem(place, JSON.stringify({ type: 'object', data: kept }))"""
WITHOUT_LOCKS = "delete Navigator.prototype.locks"
LIVE = "SELECT count(*) FROM session WHERE account_id = $1 AND ended_at IS NULL"


@pytest.fixture(scope="module")
async def instance(settings: Settings, addresses: Addresses, stand: Stand) -> AsyncIterator[Keys]:
    """A running instance whose text messages go by the stand-in."""
    url = str(stand.http.base_url).rstrip("/")
    async with running(settings, replace(addresses, platform_url=url)) as keys:
        yield keys


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@asynccontextmanager
async def beside(first: Phone) -> AsyncIterator[Phone]:
    """Another window of the same browser."""
    page = await first.window.context.new_page()
    yield Phone(replace(first.window, page=page), first.url)
    await page.close()


def renewals(*pages: Page) -> list[str]:
    """What is sent from now on to renew the session."""
    sent: list[str] = []

    def look(request: Request) -> None:
        if "refreshToken" in (request.post_data or ""):
            sent.append(request.post_data or "")

    for page in pages:
        page.on("request", look)
    return sent


async def number_of(account_id: UUID) -> str:
    number = await identity.phone_of(account_id)
    assert number is not None
    return number


@pytest.mark.parametrize("locks", ["with locks", "without"])
async def test_windows_renew_one_session_once_and_both_stay(
    served: str, opened: Browser, stand: Stand, scene: Scene, locks: str
) -> None:
    owner = scene.owner.account_id
    async with phone(opened, served) as first:
        if locks == "without":
            await first.window.context.add_init_script(WITHOUT_LOCKS)
        await first.open()
        await sign_in(first, stand, await number_of(owner))
        await expect(first.page.get_by_text("我的房屋")).to_be_visible()
        async with beside(first) as second:
            await second.open("bills")
            await expect(second.page.get_by_text("没有待缴的账单")).to_be_visible()
            sent = renewals(first.page, second.page)
            await asyncio.gather(*(each.page.evaluate(LATER) for each in (first, second)))
            await first.page.get_by_role("tab", name="访客").click()
            await expect(first.page.get_by_text("还没有访客")).to_be_visible()
            await second.page.get_by_role("tab", name="访客").click()
            await expect(second.page.get_by_text("还没有访客")).to_be_visible()
            assert len(sent) == 1
            await asyncio.gather(*(each.page.evaluate(LATER) for each in (first, second)))
            await asyncio.gather(
                *(each.page.get_by_role("tab", name="开门").click() for each in (first, second))
            )
            for each in (first, second):
                await expect(each.page.get_by_text("我的住户码").first).to_be_visible()
            await asyncio.gather(*(each.page.reload() for each in (first, second)))
            for each in (first, second):
                await expect(each.page.get_by_text("我的住户码").first).to_be_visible()
            # Without locks two may ask at the same instant; the server lets one go on, and the other goes along.
            assert len(sent) == 2 if locks == "with locks" else len(sent) in (2, 3)
        assert await database.fetchval(LIVE, owner) == 1


async def test_who_signs_in_beside_somebody_else_sees_nothing_of_theirs_and_is_not_signed_out(
    served: str, opened: Browser, stand: Stand, scene: Scene
) -> None:
    await bills.bill(scene.house_id, 12_345)
    neighbour = await number_of(scene.neighbour.account_id)
    async with phone(opened, served) as first:
        await first.open("bills")
        await sign_in(first, stand, await number_of(scene.owner.account_id))
        await expect(first.page.get_by_text("¥123.45").first).to_be_visible()
        async with beside(first) as second:
            await second.open("sign-in")
            await sign_in(second, stand, neighbour)
            await expect(second.page.get_by_text("我的房屋")).to_be_visible()
            await expect(first.page.get_by_text("我的房屋")).to_be_visible()
            await expect(first.page.get_by_text("102", exact=False).first).to_be_visible()
            first.window.provoked += [OFFLINE, "WebSocket connection"]
            await first.window.context.set_offline(True)
            for each in (first, second):
                await each.page.get_by_role("tab", name="账单").click()
                await expect(each.page.get_by_text("网络连接不上").first).to_be_visible()
                await expect(each.page.get_by_text("¥123.45")).to_have_count(0)
            await first.window.context.set_offline(False)
            await second.open("account")
            await second.page.reload()
            await expect(second.page.get_by_role("button", name="退出登录")).to_be_visible()
    # The session that gave way is over at the server as well.
    assert await database.fetchval(LIVE, scene.owner.account_id) == 0
    assert await database.fetchval(LIVE, scene.neighbour.account_id) == 1


async def test_a_sign_out_is_one_of_all_windows(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as first:
        await first.open("account")
        await expect(first.page.get_by_role("button", name="退出登录")).to_be_visible()
        async with beside(first) as second:
            await second.open("household")
            await expect(second.page.get_by_text("张小妹").first).to_be_visible()
            await first.page.get_by_role("button", name="退出登录").click()
            await first.page.get_by_role("dialog").get_by_role("button", name="退出登录").click()
            for each in (first, second):
                await expect(each.page.get_by_label("手机号")).to_be_visible()
            assert (
                await second.page.evaluate(
                    "Object.keys(localStorage).filter((key) => /session|kept/.test(key))"
                )
                == []
            )


async def test_a_sign_in_leads_on_in_the_window_that_waits_for_one(
    served: str, opened: Browser, stand: Stand, scene: Scene
) -> None:
    async with phone(opened, served) as first:
        await first.open("household")
        await expect(first.page.get_by_label("手机号")).to_be_visible()
        async with beside(first) as second:
            await second.open()
            await sign_in(second, stand, await number_of(scene.owner.account_id))
            await expect(second.page.get_by_text("我的房屋")).to_be_visible()
            await expect(first.page.get_by_text("张小妹").first).to_be_visible()


async def test_a_clock_that_is_an_hour_ahead_renews_nothing(
    served: str, opened: Browser, stand: Stand, scene: Scene
) -> None:
    async with phone(opened, served) as each:
        await each.page.add_init_script(AHEAD)
        await each.open()
        sent = renewals(each.page)
        await sign_in(each, stand, await number_of(scene.owner.account_id))
        await expect(each.page.get_by_text("我的房屋")).to_be_visible()
        await each.page.get_by_role("tab", name="访客").click()
        await expect(each.page.get_by_text("还没有访客")).to_be_visible()
        await each.page.reload()
        await expect(each.page.get_by_text("还没有访客")).to_be_visible()
        assert sent == []
    assert await Session.filter(account_id=scene.owner.account_id, ended_at=None).count() == 1
