"""Doors (开门): a tap opens once and says what became of it; the resident's own code; what was passed."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.async_api import Browser, Locator, Route, expect

from domains.access.models import Door, DoorCommand
from domains.access.service.settling import settle_overdue
from domains.estate.models import House
from tests.factories import access, gates, residents
from tests.factories.residents import Scene
from tests.miniprogram import axe, qr
from tests.miniprogram.phone import LARGEST, WIDER, Phone, phone
from tests.unit.access.door_scenes import age, behave, eventually, sent_to

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


def key(each: Phone, name: str = "南门") -> Locator:
    """A door's key."""
    return each.page.get_by_role("button", name=name)


async def state_of(door_id: UUID) -> str:
    """How far the last order to a door is."""
    order = await DoorCommand.filter(door_id=door_id).order_by("-requested_at").first()
    return order.state if order else ""


async def test_a_tap_opens_and_is_on_record(served: str, opened: Browser, scene: Scene) -> None:
    gate = await access.door(scene.compound_id)
    house = await House.get(pk=scene.house_id).values("unit_id")
    await access.door(scene.compound_id, "单元门", scene.building_id, house["unit_id"])
    await access.door(scene.compound_id, "2号楼大堂", scene.other_building_id)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("doors")
        await expect(key(each)).to_be_visible()
        await expect(key(each, "单元门")).to_be_visible()
        await expect(key(each, "2号楼大堂")).to_have_count(0)
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        await key(each).dblclick()
        await expect(key(each).get_by_text("门开了")).to_be_visible()
        assert not await axe.serious(each.page)
        await expect(each.page.get_by_text("最近通行")).to_be_visible()
        await expect(each.page.get_by_text("手机开门")).to_be_visible()
    assert await sent_to(gate) == 1
    assert await gates.records(gate) == [("opened", "")]


async def test_a_door_that_takes_its_time_says_so_and_then_opens(
    served: str, opened: Browser, scene: Scene
) -> None:
    gate = await access.door(scene.compound_id)
    await behave(gate, delay_s=4.0)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("doors")
        await key(each).click()
        await expect(key(each).get_by_text("正在开门")).to_be_visible(timeout=500)
        await expect(key(each).get_by_text("门开了")).to_be_visible(timeout=8_000)
    assert await sent_to(gate) == 1


async def test_a_door_that_cannot_be_reached_says_why(served: str, opened: Browser, scene: Scene) -> None:
    gate = await access.door(scene.compound_id)
    await behave(gate, is_there=False)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("doors")
        await key(each).click()
        await expect(key(each).get_by_text("代码 DOOR_UNREACHABLE")).to_be_visible()
        assert not await axe.serious(each.page)
    assert await state_of(gate) == "refused"


async def test_a_door_that_never_answers_asks_to_look(served: str, opened: Browser, scene: Scene) -> None:
    gate = await access.door(scene.compound_id)
    await behave(gate, answers=False)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("doors")
        await key(each).click()

        async def is_sent() -> object:
            return await state_of(gate) == "sent"

        await eventually(is_sent)
        order = await DoorCommand.get(door_id=gate)
        await age(order.id, 11)
        await settle_overdue(order.id)
        await expect(each.page.locator(".door-key.unknown")).to_be_visible(timeout=8_000)
        assert not await axe.serious(each.page)
    assert await state_of(gate) == "unknown"


async def test_a_door_that_stands_open_is_not_tapped(served: str, opened: Browser, scene: Scene) -> None:
    gate = await access.door(scene.compound_id)
    await Door.filter(pk=gate).update(mode="held_open")
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("doors")
        await expect(key(each).get_by_text("常开，请直接通行")).to_be_visible()
        await expect(key(each)).to_have_attribute("aria-disabled", "true")
        await key(each).click(force=True)
        await expect(each.page.locator(".door-key.opening")).to_have_count(0)
    assert await sent_to(gate) == 0


async def test_without_a_network_keys_are_there_and_say_what_to_do(
    served: str, opened: Browser, scene: Scene
) -> None:
    gate = await access.door(scene.compound_id)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("doors")
        await expect(key(each)).to_be_visible()
        await each.leave_network()
        await key(each).click()
        await expect(key(each).get_by_text("网络连接不上")).to_be_visible(timeout=8_000)
        await each.window.context.set_offline(False)
        await key(each).click()
        await expect(key(each).get_by_text("门开了")).to_be_visible(timeout=8_000)
    assert await sent_to(gate) == 1


async def test_the_own_code_opens_a_gate_also_without_a_network(
    served: str, opened: Browser, scene: Scene
) -> None:
    post = await gates.post(scene.compound_id)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("doors")
        await each.page.get_by_role("button", name="我的住户码").click()
        await expect(each.page.get_by_text("对准闸机的扫码口")).to_be_visible()
        shown = await qr.read(each.page)
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        await each.page.go_back()
        await each.leave_network()
        await each.page.get_by_role("button", name="我的住户码").click()
        await expect(each.page.get_by_text("暂时连不上")).to_be_visible()
        assert await qr.read(each.page) == shown
    assert (await post.scan(shown)).admits


async def test_passages_are_listed(served: str, opened: Browser, scene: Scene) -> None:
    gate = await access.door(scene.compound_id)
    for _ in range(35):
        await access.record(gate, house_id=scene.house_id, person_id=scene.owner.person_id)
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("doors")
        await each.page.get_by_role("button", name="全部通行记录").click()
        lines = each.page.get_by_text("张建国 · 进 · 手机开门").locator("visible=true")
        await expect(lines).to_have_count(30)
        await each.page.get_by_role("button", name="加载更多").click()
        await expect(lines).to_have_count(35)
        assert not await axe.serious(each.page)


async def test_large_dark_and_high_contrast_fit_a_narrow_phone(
    served: str, opened: Browser, scene: Scene
) -> None:
    await access.door(scene.compound_id, "南门（近地铁口的人行通道）")
    async with phone(opened, served, scene.owner.account_id, look=LARGEST) as each:
        await each.open("doors")
        await key(each).click()
        await expect(key(each).get_by_text("门开了")).to_be_visible()
        assert not await each.page.evaluate(WIDER)
        assert not await axe.serious(each.page)


async def test_a_tap_that_no_answer_came_to_opens_nothing_later(
    served: str, opened: Browser, scene: Scene
) -> None:
    gate = await access.door(scene.compound_id)
    taken: list[str] = []

    async def swallow(route: Route) -> None:
        """The first order never gets out of the lift."""
        if "idempotencyKey" not in (route.request.post_data or ""):
            await route.continue_()
            return
        taken.append(route.request.url)
        if len(taken) > 1:
            await route.continue_()

    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("doors")
        await expect(key(each)).to_be_visible()
        await each.page.clock.install()
        await each.page.route("**/graphql", swallow)
        await key(each).click()
        await expect(each.page.locator(".door-key.opening")).to_be_visible()
        await each.page.clock.fast_forward("00:07")
        await expect(key(each).get_by_text("没有等到回应")).to_be_visible()
        await each.page.clock.fast_forward("02:00")
        await expect(key(each).get_by_text("没有等到回应")).to_be_visible()
        assert len(taken) == 1
        assert await sent_to(gate) == 0
