"""Home (首页): what needs the resident first, while it changes, and when nothing can be asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from domains.access.service.issuing import Guest
from domains.kernel import clock, database
from notifications import viewer_events
from tests.factories import bills, identity, residents, visits
from tests.factories.residents import Scene
from tests.miniprogram import axe
from tests.miniprogram.phone import LARGEST, WIDER, phone

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def test_a_visitor_at_the_gate_a_bill_and_a_guest_of_today(
    served: str, opened: Browser, scene: Scene
) -> None:
    due_on = clock.today() - timedelta(days=10)
    await bills.bill(scene.house_id, 123_450, month=due_on.replace(day=1), issued_on=due_on, due_on=due_on)
    await visits.create(await visits.owner(scene), scene.house_id)
    waiting = await visits.ask_for_pass(scene, guest=Guest(name="李快递", phone="13812345679"))
    async with phone(opened, served, scene.owner.account_id) as each:
        sent: list[str] = []
        each.page.on("request", lambda request: sent.append(request.url))
        await each.open()
        await expect(each.page.get_by_text("¥1,234.50")).to_be_visible()
        await expect(each.page.get_by_text("王来访 来访")).to_be_visible()
        assert len([url for url in sent if url.endswith("/graphql")]) == 1
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        await expect(each.page.get_by_text("李快递 请求进入")).to_be_visible()
        await each.page.get_by_role("button", name="同意").click()
        await expect(each.page.get_by_text("李快递 请求进入")).to_have_count(0)
        assert await visits.state_of(waiting) == "active"


async def test_who_is_refused_reads_why(served: str, opened: Browser, scene: Scene) -> None:
    waiting = await visits.ask_for_pass(scene)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open()
        await each.page.get_by_role("button", name="拒绝").click()
        sheet = each.page.get_by_role("dialog")
        await sheet.get_by_label("原因").fill("今天不方便")
        assert not await axe.serious(each.page)
        await sheet.get_by_role("button", name="拒绝").click()
        await expect(each.page.get_by_text("今天没有要处理的事")).to_be_visible()
        assert await visits.state_of(waiting) == "rejected"


async def test_it_follows_what_happens_without_a_touch(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        async with each.listening():
            await each.open()
            await expect(each.page.get_by_text("今天没有要处理的事")).to_be_visible()
        await visits.ask_for_pass(scene)
        async with database.transaction():
            await viewer_events.tell([scene.owner.account_id], "visitor_pass.changed")
        await expect(each.page.get_by_text("王来访 请求进入")).to_be_visible()


async def test_who_has_no_house_is_led_to_register_one(served: str, opened: Browser) -> None:
    async with phone(opened, served, await identity.resident()) as each:
        await each.open()
        await expect(each.page.get_by_text("登记您的房屋")).to_be_visible()
        assert not await axe.serious(each.page)
        await each.page.get_by_role("button", name="开始登记").click()
        await expect(each.page.get_by_text("您住在哪个小区？")).to_be_visible()


async def test_what_was_read_is_there_without_a_network(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open()
        await expect(each.page.get_by_text("今天没有要处理的事")).to_be_visible()
        await each.page.get_by_role("tab", name="我的").click()
        await expect(each.page.get_by_text("退出登录")).to_be_visible()
        await each.leave_network()
        await each.page.get_by_role("tab", name="首页").click()
        await expect(each.page.get_by_text("暂时连不上")).to_be_visible()
        await expect(each.page.get_by_text("今天没有要处理的事")).to_be_visible()
        await each.window.context.set_offline(False)
        await each.page.get_by_role("tab", name="我的").click()
        await each.page.get_by_role("tab", name="首页").click()
        await expect(each.page.get_by_text("暂时连不上")).to_have_count(0)


async def test_large_dark_and_high_contrast_fit_a_narrow_phone(
    served: str, opened: Browser, scene: Scene
) -> None:
    await visits.ask_for_pass(scene)
    async with phone(opened, served, scene.owner.account_id, look=LARGEST) as each:
        for page, shown in (("home", "请求进入"), ("account", "字号"), ("inbox", "消息")):
            await each.open(page)
            await expect(each.page.get_by_text(shown).first).to_be_visible()
            assert not await each.page.evaluate(WIDER), page
            assert not await axe.serious(each.page), page
