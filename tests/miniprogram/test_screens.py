"""Every other screen: its main path, and what it shows empty, slow, without a server and without a network."""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

import pytest
from playwright.async_api import Browser, TimeoutError, expect

from domains.kernel import database
from domains.residents.notices import SUBMITTED
from domains.residents.service import invitations
from notifications.notifying import notify
from tests.factories import identity, residents
from tests.factories.residents import Scene
from tests.miniprogram import axe
from tests.miniprogram.phone import WIDER, phone

pytestmark = pytest.mark.usefixtures("instance")
EMPTY = {
    "home": "登记您的房屋",
    "account": "字号",
    "registrations": "还没有登记过房屋",
    "invitations": "没有等待您接受的邀请",
    "inbox": "还没有消息",
    "visitors": "还没有您的房屋",
    "invite": "还没有您的房屋",
    "regulars": "还没有您的房屋",
    "doors": "还没有您的房屋",
    "passages": "还没有通行记录",
    "bills": "没有待缴的账单",
    "payments": "还没有支付记录",
    "prepayment": "没有可查看的账户",
    "books": "还没有公示账目",
    "meters": "还没有可查看的表",
    "household": "还没有您的房屋",
    "vehicles": "还没有您的房屋",
    "notifications": "每类消息怎么提醒",
    "devices": "只在本机登录",
    "privacy": "小区还没有登记您的资料",
}


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def test_bones_then_what_is_wrong_then_what_will_be_there(served: str, opened: Browser) -> None:
    async with phone(opened, served, await identity.resident()) as each:
        for page, words in EMPTY.items():
            go_on = await each.delay(fails=True)
            await each.open(page)
            await expect(
                each.page.get_by_role("status", name="正在加载").locator("visible=true"), page
            ).to_be_visible()
            go_on.set()
            await expect(each.says("代码 UNAVAILABLE"), page).to_be_visible()
            # What went wrong looks the same on all of them.
            assert page != "home" or not await axe.serious(each.page)
            await each.page.unroute_all()
            await each.page.get_by_role("button", name="重试").locator("visible=true").click()
            await expect(each.page.get_by_text(words).locator("visible=true"), page).to_be_visible()
            await expect(each.says("代码 UNAVAILABLE"), page).to_have_count(0)
            assert not await axe.serious(each.page), page
            assert not await each.page.evaluate(WIDER), page


async def test_a_code_a_house_and_a_name_make_a_registration(
    served: str, opened: Browser, scene: Scene
) -> None:
    async with phone(opened, served, (await residents.newcomer()).id) as each:
        await each.open("register?code=ZZ99ZZ99")
        await expect(each.page.get_by_text("没有找到这个登记码")).to_be_visible()
        await each.page.get_by_label("登记码").fill(scene.code)
        await each.page.get_by_role("button", name="下一步").click()
        await each.page.get_by_role("button", name="楼栋").click()
        await each.page.get_by_role("dialog").get_by_role("radio").first.click()
        await each.page.get_by_label("房号").fill("102")
        await each.page.get_by_label("您的姓名").fill("李新民")
        await each.page.get_by_role("radio", name="家属").click()
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        await each.page.get_by_role("button", name="提交登记").click()
        await expect(each.page.get_by_text("待审核")).to_be_visible()
        await each.page.get_by_role("button", name="撤回").click()
        await each.page.get_by_role("dialog").get_by_role("button", name="撤回").click()
        await expect(each.page.get_by_text("已撤回")).to_be_visible()


async def test_an_invitation_is_taken_up(served: str, opened: Browser, scene: Scene) -> None:
    number = identity.new_phone()
    guest = await residents.newcomer("李新民", number)
    owner = await residents.resident(scene.owner.account_id)
    await invitations.invite_to_house(
        owner, house_id=scene.house_id, capacity="family", name="李新民", phone=number
    )
    async with phone(opened, served, guest.id) as each:
        await each.open()
        await each.page.get_by_role("button", name="查看邀请").click()
        await expect(each.page.get_by_text("张建国 邀请您作为家属加入")).to_be_visible()
        assert not await axe.serious(each.page)
        await each.page.get_by_role("button", name="接受邀请").click()
        await expect(each.page.get_by_text("我的房屋")).to_be_visible()


async def test_the_inbox_goes_on_and_is_read(served: str, opened: Browser) -> None:
    account = await identity.resident()
    async with database.transaction():
        for number in range(45):
            place = {"compound": "桂语里", "house": f"3-1-{number:03d}"}
            await notify([account], SUBMITTED, place, dedupe_key=str(uuid4()), compound_id=None)
    async with phone(opened, served, account) as each:
        await each.open("inbox")
        await expect(each.page.get_by_role("button", name="45 条全部标为已读")).to_be_visible()
        assert not await axe.serious(each.page)
        await expect(each.page.locator("uni-view.card")).to_have_count(20)
        more = each.page.get_by_role("button", name="加载更多")
        await more.click()
        # The list goes on by itself where its end comes in sight, which may be faster than the finger.
        while await more.count():
            with suppress(TimeoutError):
                await more.click(timeout=1_000)
        await expect(each.page.locator("uni-view.card")).to_have_count(45)
        await expect(each.page.get_by_text("没有更多了")).to_be_visible()
        await each.page.get_by_role("button", name="45 条全部标为已读").click()
        await expect(each.page.get_by_role("button", name="标为已读")).to_have_count(0)


async def test_the_language_is_chosen_and_stays(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("account")
        await each.page.get_by_role("radio", name="English").click()
        await expect(each.page.get_by_role("button", name="Sign out")).to_be_visible()
        await each.page.reload()
        await expect(each.page.get_by_role("tab", name="Home")).to_be_visible()
        chosen = await database.fetchval("SELECT language FROM account WHERE id = $1", scene.owner.account_id)
        assert chosen == "en"


async def test_a_page_that_there_is_not_leads_home(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("nowhere")
        await expect(each.page.get_by_text("我的房屋")).to_be_visible()
