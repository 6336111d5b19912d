"""What is one's own (我的): name, houses and family, vehicles, devices, messages, privacy."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from domains.identity.models import Account, Session
from domains.kernel import database
from domains.residents.models import Invitation, Occupancy, Vehicle
from domains.residents.service import vehicles
from tests.factories import identity, residents
from tests.factories.residents import Scene
from tests.miniprogram import axe
from tests.miniprogram.phone import LARGEST, WIDER, Phone, phone

pytestmark = pytest.mark.usefixtures("instance")
LINES = {
    "household": "一起住的人",
    "vehicles": "还没有登记车辆",
    "devices": "只在本机登录",
    "notifications": "每类消息怎么提醒",
    "privacy": "小区登记的资料",
}


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def each(served: str, opened: Browser, scene: Scene) -> AsyncIterator[Phone]:
    """The owner's phone."""
    async with phone(opened, served, scene.owner.account_id) as held:
        yield held


async def fits(each: Phone) -> None:
    """Nothing is out of sight, nothing out of reach."""
    assert not await axe.serious(each.page)
    assert not await each.page.evaluate(WIDER)


async def test_large_dark_and_high_contrast_fit_a_narrow_phone(
    served: str, opened: Browser, scene: Scene
) -> None:
    async with phone(opened, served, scene.owner.account_id, look=LARGEST) as each:
        for page, words in LINES.items():
            await each.open(page)
            await expect(each.page.get_by_text(words).locator("visible=true")).to_be_visible()
            await fits(each)


async def test_every_way_leads_somewhere(each: Phone) -> None:
    for words, shown in (
        ("房屋与家人", "一起住的人"), ("我的车辆", "还没有登记车辆"), ("水电气表", "还没有可查看的表"),
        ("消息与免打扰", "每类消息怎么提醒"), ("登录的设备", "只在本机登录"), ("隐私与资料", "小区登记的资料"),
    ):  # fmt: skip
        await each.open("account")
        await each.page.get_by_role("button").filter(has_text=words).click()
        await expect(each.page.get_by_text(shown)).to_be_visible()


async def test_who_gave_no_name_is_called_as_the_register_does(each: Phone, scene: Scene) -> None:
    await Account.filter(pk=scene.owner.account_id).update(name="")
    await each.open("account")
    await expect(each.says("张建国")).to_be_visible()
    await expect(each.says("未填姓名")).to_have_count(0)
    await each.page.get_by_role("button").filter(has_text="改名").click()
    sheet = each.page.get_by_role("dialog")
    await sheet.get_by_label("姓名").fill("张大伯")
    await fits(each)
    await sheet.get_by_role("button", name="保存").click()
    await expect(each.says("张大伯")).to_be_visible()
    assert await Account.filter(pk=scene.owner.account_id, name="张大伯").exists()


async def test_an_owner_invites_and_takes_back(each: Phone, scene: Scene) -> None:
    await each.open("household")
    await each.page.get_by_role("button", name="邀请家人或租户").click()
    sheet = each.page.get_by_role("dialog")
    await sheet.get_by_label("对方姓名").fill("李小红")
    await sheet.get_by_label("手机号").fill(identity.new_phone())
    await fits(each)
    await sheet.get_by_role("button", name="发出邀请").click()
    await expect(sheet.get_by_text("邀请好了。李小红")).to_be_visible()
    await expect(sheet.get_by_text("/pages/invitations/index?code=")).to_be_visible()
    await sheet.get_by_role("button", name="关闭").last.click()
    await expect(each.says("等待接受的邀请")).to_be_visible()
    await each.page.get_by_role("button", name="撤回").click()
    await expect(each.says("等待接受的邀请")).to_have_count(0)
    assert await Invitation.filter(inviter_id=scene.owner.account_id, state="withdrawn").count() == 1


async def test_an_owner_takes_a_tenant_out_and_cannot_leave_alone(each: Phone, scene: Scene) -> None:
    await each.open("household")
    await (
        each.page.locator("uni-view.line")
        .filter(has_text="赵租客")
        .get_by_role("button", name="移出")
        .click()
    )
    sheet = each.page.get_by_role("dialog")
    await expect(sheet.get_by_label("原因（对方会看到）")).to_have_value("不再一起居住")
    await fits(each)
    await sheet.get_by_role("button", name="移出").click()
    await expect(each.says("赵租客")).to_have_count(0)
    ended = await Occupancy.get(pk=scene.tenant.occupancy_id)
    assert ended.ended_at is not None and ended.end_reason == "不再一起居住"
    await expect(sheet).to_have_count(0)
    await each.page.get_by_role("button", name="退出这套房屋").click()
    await sheet.get_by_role("button", name="退出这套房屋").click()
    await expect(sheet.get_by_text("唯一登记的业主")).to_be_visible()
    assert (await Occupancy.get(pk=scene.owner.occupancy_id)).ended_at is None


async def test_family_sees_names_alone_and_leaves(served: str, opened: Browser, scene: Scene) -> None:
    async with phone(opened, served, scene.family.account_id) as each:
        await each.open("household")
        await expect(each.says("张小妹（我）")).to_be_visible()
        await expect(each.says("张建国")).to_be_visible()
        await expect(each.page.get_by_text(f"****{scene.owner.phone[-4:]}")).to_have_count(0)
        for words in ("邀请家人或租户", "移出"):
            await expect(each.page.get_by_role("button", name=words)).to_have_count(0)
        await each.page.get_by_role("button", name="退出这套房屋").click()
        await each.page.get_by_role("dialog").get_by_role("button", name="退出这套房屋").click()
        await expect(each.page.get_by_text("还没有您的房屋")).to_be_visible()
    assert (await Occupancy.get(pk=scene.family.occupancy_id)).ended_at is not None


async def test_a_vehicle_is_registered_and_removed(each: Phone, scene: Scene) -> None:
    await each.open("vehicles")
    await each.page.get_by_role("button", name="登记车辆").click()
    sheet = each.page.get_by_role("dialog")
    await sheet.get_by_label("车牌号").fill("浙A1")
    await sheet.get_by_role("button", name="保存").click()
    await expect(sheet.get_by_text("车牌号不正确").first).to_be_visible()
    await fits(each)
    await sheet.get_by_label("车牌号，").fill("浙a·12345")
    await sheet.get_by_role("button", name="保存").click()
    await expect(each.says("浙A12345")).to_be_visible()
    await each.page.get_by_role("button", name="删除").click()
    await sheet.get_by_role("button", name="删除").click()
    await expect(each.page.get_by_text("还没有登记车辆")).to_be_visible()
    assert await Vehicle.filter(house_id=scene.house_id, removed_at=None).count() == 0


async def test_family_sees_the_vehicles_of_the_house_and_neighbours_do_not(
    served: str, opened: Browser, scene: Scene
) -> None:
    owner = await residents.resident(scene.owner.account_id)
    await vehicles.register_vehicle(owner, house_id=scene.house_id, kind="car", plate="浙A54321")
    for account, count in ((scene.family.account_id, 1), (scene.neighbour.account_id, 0)):
        async with phone(opened, served, account) as each:
            await each.open("vehicles")
            await expect(each.page.get_by_role("button", name="登记车辆")).to_be_visible()
            await expect(each.says("浙A54321")).to_have_count(count)


async def test_a_lost_phone_is_signed_out_and_then_all_others(each: Phone, scene: Scene) -> None:
    for device in ("旧手机", "平板", "电脑"):
        await identity.token(scene.owner.account_id, device)
    await each.open("devices")
    await expect(each.says("本机")).to_have_count(1)
    await fits(each)
    await (
        each.page.locator("uni-view.line")
        .filter(has_text="旧手机")
        .get_by_role("button", name="退出")
        .click()
    )
    sheet = each.page.get_by_role("dialog")
    await expect(sheet.get_by_text("让 旧手机 退出登录？")).to_be_visible()
    await sheet.get_by_role("button", name="退出").click()
    await expect(each.page.locator("uni-view.line").filter(has_text="旧手机")).to_have_count(0)
    await expect(sheet).to_have_count(0)
    await each.page.get_by_role("button", name="退出其他所有设备").click()
    await expect(sheet.get_by_text("让其他 2 台设备退出登录？")).to_be_visible()
    await sheet.get_by_role("button", name="退出其他所有设备").click()
    await expect(each.page.get_by_text("只在本机登录")).to_be_visible()
    assert await Session.filter(account_id=scene.owner.account_id, ended_at=None).count() == 1


QUIET = "SELECT is_quiet_at_night, quiet_from, quiet_until FROM recipient WHERE account_id = $1"


async def test_quiet_hours_and_kinds_are_chosen_and_stay(each: Phone, scene: Scene) -> None:
    await each.open("notifications")
    await each.page.get_by_role("button", name="从几点").click()
    await each.page.get_by_role("dialog").get_by_role("radio", name="21:00").click()
    await expect(each.page.get_by_role("button", name="从几点 21:00")).to_be_visible()
    await each.page.get_by_role("radio", name="关闭").click()
    await expect(each.page.get_by_role("button", name="从几点")).to_have_count(0)
    way = each.page.get_by_role("switch", checked=True).first
    name = str(await way.get_attribute("aria-label"))
    await way.click()
    await expect(each.page.get_by_role("switch", name=name, exact=True)).not_to_be_checked()
    await each.page.reload()
    await expect(each.page.get_by_role("switch", name=name, exact=True)).not_to_be_checked()
    row = await database.fetchrow(QUIET, scene.owner.account_id)
    assert row is not None and tuple(row.values()) == (False, 21 * 60, 7 * 60)


async def test_what_is_refused_goes_back_to_what_it_was(each: Phone) -> None:
    await each.open("notifications")
    await expect(each.page.get_by_role("radio", name="开启")).to_be_checked()
    await each.leave_network()
    await each.page.get_by_role("radio", name="关闭").click()
    await expect(each.page.get_by_text("网络连接不上").first).to_be_visible()
    await expect(each.page.get_by_role("radio", name="开启")).to_be_checked()


async def test_numbers_are_covered_and_nothing_of_them_stays_on_the_device(
    served: str, opened: Browser, scene: Scene
) -> None:
    account = await identity.resident(identity.new_phone(), "孙证件")
    who = await residents.person(
        scene.compound_id, "孙证件", account_id=account, phone="13900001234", document="11010519491231002X"
    )
    await residents.occupancy(scene.far_house_id, who)
    async with phone(opened, served, account) as each:
        await each.open("privacy")
        await expect(each.page.get_by_text("••••002X")).to_be_visible()
        await expect(each.page.get_by_text("11010519491231002X")).to_have_count(0)
        await fits(each)
        await each.page.get_by_role("button", name="显示完整内容").click()
        await expect(each.page.get_by_text("11010519491231002X")).to_be_visible()
        stored = str(await each.page.evaluate("JSON.stringify(localStorage)"))
        assert "linli.session" in stored and "11010519491231002X" not in stored


async def test_what_the_device_keeps_is_cleared(each: Phone) -> None:
    await each.open("devices")
    await expect(each.page.get_by_text("只在本机登录")).to_be_visible()
    await each.open("privacy")
    await each.page.get_by_role("button", name="清除本机内容").click()
    await each.page.get_by_role("dialog").get_by_role("button", name="清除本机内容").click()
    await expect(each.page.get_by_text("已清除")).to_be_visible()
    kept = await each.page.evaluate(
        "Object.keys(localStorage).filter((each) => each.startsWith('linli.kept'))"
    )
    assert kept == []
