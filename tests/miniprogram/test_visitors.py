"""Visitors (访客): invited in three taps, shared, followed, let in or not, and taken back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import Browser, Route, expect

from domains.access.handlers import VISIT_CHANGED
from domains.access.models import VisitorPass
from domains.access.queries import passes, templates
from domains.access.service.issuing import Guest
from domains.kernel import clock, database
from notifications import viewer_events
from schema.relay import encode
from tests.factories import access, residents, visits
from tests.factories.residents import Scene
from tests.miniprogram import axe, qr
from tests.miniprogram.phone import LARGEST, OFFLINE, WIDER, Phone, phone

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


def of(pass_id: UUID) -> str:
    """The address of a visit's page."""
    return f"visit?pass={encode('VisitorPass', pass_id)}"


async def invite(each: Phone, name: str) -> None:
    """From the list: its button, the name, the form's button."""
    await each.page.get_by_role("button", name="邀请访客").click()
    await each.page.get_by_label("访客姓名").click()
    await each.page.keyboard.insert_text(name)
    await each.page.get_by_role("button", name="邀请", exact=True).click()


async def test_a_name_is_enough_and_the_guest_scans_the_link(
    served: str, opened: Browser, scene: Scene
) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.taps()
        await each.open("visitors")
        await invite(each, "陈阿姨")
        await expect(each.page.get_by_text("把码交给 陈阿姨")).to_be_visible()
        assert await each.tapped() == 3
        made_id = await visits.last_pass()
        made = (await passes.by_id(await visits.owner(scene), [made_id]))[made_id]
        assert await qr.read(each.page) == f"{served}/v/{made.link}"
        assert (made.guest_name, made.uses_allowed, made.state) == ("陈阿姨", 1, "active")
        assert made.ends_at - made.starts_at >= timedelta(hours=1, minutes=59)
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        await each.page.go_back()
        await expect(each.page.get_by_text("将要来访")).to_be_visible()
        await expect(each.page.get_by_text("陈阿姨")).to_be_visible()


async def test_a_frequent_guest_is_one_tap_and_keeps_the_phone(
    served: str, opened: Browser, scene: Scene
) -> None:
    owner = await visits.owner(scene)
    for _ in range(2):
        await visits.create(owner, scene.house_id, Guest(name="陈阿姨", phone="13911112222"))
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.taps()
        await each.open("visitors")
        await each.page.get_by_role("button", name="邀请访客").click()
        await each.page.get_by_role("radio", name="陈阿姨").click()
        assert not await axe.serious(each.page)
        await each.page.get_by_role("button", name="邀请", exact=True).click()
        await expect(each.page.get_by_text("把码交给 陈阿姨")).to_be_visible()
        await expect(each.page.get_by_text("139****2222")).to_be_visible()
        assert await each.tapped() == 3
    assert await VisitorPass.filter(host_id=scene.owner.account_id).count() == 3


async def test_what_is_wrong_stands_at_its_field_and_nothing_is_made(
    served: str, opened: Browser, scene: Scene
) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("invite")
        await each.page.get_by_label("访客姓名").fill("陈阿姨")
        await each.page.get_by_role("button", name="时间、次数、车牌等").click()
        await each.page.get_by_label("手机号").fill("123")
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        await each.page.get_by_role("button", name="邀请", exact=True).click()
        await expect(each.page.locator(".field-problem")).to_be_visible()
        assert not await VisitorPass.filter(host_id=scene.owner.account_id).exists()
        await each.page.get_by_label("手机号").fill("13812345678")
        await each.page.get_by_role("button", name="邀请", exact=True).click()
        await expect(each.page.get_by_text("138****5678")).to_be_visible()


async def test_an_answer_that_is_lost_makes_one_invitation(
    served: str, opened: Browser, scene: Scene
) -> None:
    lost: list[str] = []

    async def lose(route: Route) -> None:
        if "idempotencyKey" not in (route.request.post_data or "") or lost:
            await route.continue_()
            return
        lost.append(route.request.url)
        await route.fetch()
        await route.abort("internetdisconnected")

    async with phone(opened, served, scene.owner.account_id) as each:
        each.window.provoked.append(OFFLINE)
        await each.page.route("**/graphql", lose)
        await each.open("visitors")
        await invite(each, "陈阿姨")
        await expect(each.page.get_by_text("把码交给 陈阿姨")).to_be_visible()
        assert lost
    assert await VisitorPass.filter(host_id=scene.owner.account_id).count() == 1


async def test_who_asks_is_let_in_from_the_list(served: str, opened: Browser, scene: Scene) -> None:
    waiting = await visits.ask_for_pass(scene)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("visitors")
        await expect(each.page.get_by_text("王来访 请求进入")).to_be_visible()
        assert not await axe.serious(each.page)
        await each.page.get_by_role("button", name="同意").click()
        await expect(each.page.get_by_text("王来访 请求进入")).to_have_count(0)
        await expect(each.page.get_by_text("将要来访")).to_be_visible()
    assert await visits.state_of(waiting) == "active"


async def test_who_asks_is_refused_on_their_own_page(served: str, opened: Browser, scene: Scene) -> None:
    waiting = await visits.ask_for_pass(scene)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open(of(waiting))
        await each.page.get_by_role("button", name="拒绝").click()
        await each.page.get_by_role("dialog").get_by_role("button", name="拒绝").click()
        await expect(each.page.locator(".badge").get_by_text("已拒绝")).to_be_visible()
    assert await visits.state_of(waiting) == "rejected"


async def test_the_list_follows_a_visitor_through_the_gate(
    served: str, opened: Browser, scene: Scene
) -> None:
    pass_id = await visits.create(await visits.owner(scene), scene.house_id)
    async with phone(opened, served, scene.owner.account_id) as each:
        async with each.listening():
            await each.open("visitors")
            await expect(each.page.locator(".badge").get_by_text("待到访")).to_be_visible()
        now = clock.now()
        await VisitorPass.filter(pk=pass_id).update(
            state="used_up", uses=1, inside_since=now, last_used_at=now, ended_at=now
        )
        async with database.transaction():
            await viewer_events.tell(
                [scene.owner.account_id], VISIT_CHANGED, subject_type="VisitorPass", subject_id=pass_id
            )
        await expect(each.page.locator(".badge").get_by_text("在小区里")).to_be_visible()


async def test_a_visit_shows_its_passages_and_is_taken_back(
    served: str, opened: Browser, scene: Scene
) -> None:
    gate = await access.door(scene.compound_id)
    pass_id = await visits.create(await visits.owner(scene), scene.house_id, uses=2)
    await access.record(gate, house_id=scene.house_id, visitor_pass_id=pass_id, method="qr", who="王来访")
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open(of(pass_id))
        await expect(each.page.get_by_text("进 · 二维码")).to_be_visible()
        await expect(each.page.get_by_text("还可用 2 次，共 2 次")).to_be_visible()
        assert not await axe.serious(each.page)
        await each.page.get_by_role("button", name="取消邀请").click()
        await each.page.get_by_role("dialog").get_by_role("button", name="取消邀请").click()
        await expect(each.page.locator(".badge").get_by_text("已取消")).to_be_visible()
        await expect(each.page.locator(".qr-picture")).to_have_count(0)
    assert await visits.state_of(pass_id) == "revoked"


async def test_family_see_the_visit_without_its_key(served: str, opened: Browser, scene: Scene) -> None:
    pass_id = await visits.create(await visits.owner(scene), scene.house_id)
    async with phone(opened, served, scene.family.account_id) as each:
        await each.open(of(pass_id))
        await expect(each.page.get_by_text("邀请人")).to_be_visible()
        await expect(each.page.locator(".qr-picture")).to_have_count(0)
        await expect(each.page.get_by_role("button", name="取消邀请")).to_have_count(0)


async def test_a_visit_of_others_is_not_found(served: str, opened: Browser, scene: Scene) -> None:
    pass_id = await visits.create(await visits.owner(scene), scene.house_id)
    async with phone(opened, served, scene.neighbour.account_id) as each:
        await each.open(of(pass_id))
        await expect(each.page.get_by_text("没有找到这位访客")).to_be_visible()


async def test_who_comes_every_week_has_one_link_until_it_ends(
    served: str, opened: Browser, scene: Scene
) -> None:
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("regulars")
        await expect(each.page.get_by_text("还没有常来的人")).to_be_visible()
        await each.page.get_by_role("button", name="添加常来的人").click()
        await each.page.get_by_label("访客姓名").fill("保洁王阿姨")
        await each.page.get_by_role("checkbox", name="周二").click()
        await each.page.get_by_role("checkbox", name="周五").click()
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        await each.page.get_by_role("button", name="保存").click()
        await expect(each.page.get_by_text("周二、周五 09:00–12:00")).to_be_visible()
        [made] = await templates.own(await visits.owner(scene))
        assert (made.guest_name, made.from_minute, made.until_minute) == ("保洁王阿姨", 540, 720)
        await each.page.get_by_role("button", name="发给访客").click()
        assert await qr.read(each.page) == f"{served}/v/{made.link}"
        assert not await axe.serious(each.page)
        await each.page.get_by_role("button", name="关闭").click()
        await each.page.get_by_role("button", name="结束").click()
        await each.page.get_by_role("dialog").get_by_role("button", name="结束").click()
        await expect(each.page.get_by_text("还没有常来的人")).to_be_visible()
    [ended] = await templates.own(await visits.owner(scene))
    assert ended.ended_at is not None


async def test_the_past_goes_on(served: str, opened: Browser, scene: Scene) -> None:
    for number in range(25):
        at = clock.now() - timedelta(days=number + 1)
        await access.visitor_pass(
            scene.compound_id, scene.house_id, scene.owner.account_id, state="expired", requested_at=at,
            starts_at=at, ends_at=at + timedelta(hours=2), ended_at=clock.now(),
        )  # fmt: skip
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("visitors")
        await expect(each.page.get_by_text("未到访")).to_have_count(20)
        await each.page.get_by_role("button", name="加载更多").click()
        await expect(each.page.get_by_text("未到访")).to_have_count(25)
        await expect(each.page.get_by_text("没有更多了")).to_be_visible()


async def test_the_code_of_a_guest_is_there_without_a_network(
    served: str, opened: Browser, scene: Scene
) -> None:
    await visits.create(await visits.owner(scene), scene.house_id)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("visitors")
        await each.page.get_by_text("王来访").click()
        shown = await qr.read(each.page)
        await each.page.go_back()
        await each.leave_network()
        await each.page.get_by_text("王来访").click()
        await expect(each.page.get_by_text("暂时连不上")).to_be_visible()
        assert await qr.read(each.page) == shown


async def test_large_dark_and_high_contrast_fit_a_narrow_phone(
    served: str, opened: Browser, scene: Scene
) -> None:
    owner = await visits.owner(scene)
    await visits.ask_for_pass(scene)
    pass_id = await visits.create(owner, scene.house_id, Guest(name="欧阳陈阿姨", plate="浙A12345"))
    async with phone(opened, served, scene.owner.account_id, look=LARGEST) as each:
        for page, shown in (
            ("visitors", "请求进入"), ("invite", "常来的访客"), (of(pass_id), "把码交给"),
        ):  # fmt: skip
            await each.open(page)
            await expect(each.page.get_by_text(shown).first).to_be_visible()
            assert not await each.page.evaluate(WIDER), page
            assert not await axe.serious(each.page), page
