"""Devices, doors, rules and visitors at the desk in a real browser: on a phone and on a desk, with the keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from domains.access import permissions
from domains.access.models import AccessRules, VisitorPass
from domains.devices import permissions as devices_permissions
from domains.devices.models import AssetEntry, Device
from domains.kernel import clock
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.browser.driving import DESK, LOOKS, NARROW, Window, window
from tests.browser.test_pages import CONTRAST, WIDER
from tests.factories import access, devices, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
EVERYTHING = (*permissions.LABELS, *devices_permissions.LABELS, "estate.read")
UNLABELLED = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
  .filter((field) => !field.labels.length).map((field) => field.name)"""


@pytest.fixture
async def scene() -> Scene:
    """Places and people that no other test uses."""
    return await residents.scene()


@pytest.fixture(params=[NARROW, DESK], ids=["phone", "desk"])
async def desk(
    served: str, opened: Browser, scene: Scene, request: pytest.FixtureRequest
) -> AsyncIterator[Window]:
    """Somebody who may do everything, signed in, on a phone and on a desk."""
    async with window(opened, request.param) as each:
        await each.sign_in(served, await staff_of(scene, *EVERYTHING), identity.PASSWORD)
        await each.page.wait_for_url("**/staff/guard")
        yield each


async def test_a_device_is_put_out_of_order_and_repaired(desk: Window, served: str, scene: Scene) -> None:
    id = await devices.device(scene.compound_id, "lift", name="1号梯")
    page = desk.page
    await page.goto(f"{served}/staff/devices/one?device={encode('Device', id)}")
    await page.locator(".chip", has_text="停用").click()
    await page.fill("#reason", "等待配件")
    await page.get_by_role("button", name="变更状态").click()
    await expect(page.locator("#notices")).to_contain_text("设备状态已变更")
    await page.locator(".adding > summary").click()
    await page.select_option("#work", "REPAIRED")
    await page.fill("#cost", "1280.5")
    await page.get_by_role("button", name="记入台账").dblclick()
    await expect(page.locator("#notices")).to_contain_text("已记入资产台账")
    await expect(page.locator(".choices").last).to_contain_text("等待配件")
    assert (await Device.get(pk=id)).state == "out_of_order"
    assert await AssetEntry.filter(device_id=id, kind="repaired", cost_fen=128050).count() == 1


async def test_the_ledger_is_downloaded_as_it_is_narrowed(desk: Window, served: str, scene: Scene) -> None:
    await devices.device(scene.compound_id, "lift", name="1号梯")
    await devices.device(scene.compound_id, "manhole", name="井盖甲")
    page = desk.page
    await page.goto(f"{served}/staff/devices")
    await page.select_option("#kind", "MANHOLE")
    await expect(page.locator("#rows")).not_to_contain_text("1号梯")
    async with page.expect_download() as started:
        await page.get_by_role("button", name="导出台账 CSV").click()
    text = (await (await started.value).path()).read_text(encoding="utf-8-sig")
    assert "井盖甲" in text and "1号梯" not in text


async def test_a_door_is_registered_and_ordered_by_the_keyboard(
    desk: Window, served: str, scene: Scene
) -> None:
    await devices.device(scene.compound_id, "gate", code="ZJ-01")
    page = desk.page
    await page.goto(f"{served}/staff/doors/new?code=ZJ-01")
    await page.focus("#name")
    await page.keyboard.type("南门")
    await page.keyboard.press("Enter")
    await expect(page.locator("#notices")).to_contain_text("门禁点位已登记")
    await page.locator(".chip input[value=HELD_OPEN]").focus()
    await page.keyboard.press("Space")
    await page.get_by_label("原因（记入审计）").fill("搬家")
    await page.keyboard.press("Enter")
    await expect(page.locator("#notices .notice")).to_be_visible()
    await expect(page.locator("[aria-labelledby=orders]")).to_contain_text("保持常开")


async def test_rules_are_set(desk: Window, served: str, scene: Scene) -> None:
    page = desk.page
    await page.goto(f"{served}/staff/access-rules")
    await page.fill("#longestWindowH", "9999")
    await page.get_by_role("button", name="保存").click()
    await expect(page.locator("#longestWindowH")).to_be_focused()
    await page.fill("#longestWindowH", "48")
    await page.get_by_role("button", name="保存").click()
    await expect(page.locator("#notices")).to_contain_text("通行规则已保存")
    assert (await AccessRules.get(compound_id=scene.compound_id)).longest_window_h == 48


async def test_visitors_are_searched_and_decided(desk: Window, served: str, scene: Scene) -> None:
    place = scene.compound_id, scene.house_id
    waiting = await access.visitor_pass(
        *place, guest_name="李等待", state="requested", decided_at=None, origin="visitor"
    )
    coming = await access.visitor_pass(*place, scene.owner.account_id, guest_name="王预约")
    page = desk.page
    await page.goto(f"{served}/staff/visitors")
    await page.locator("#q").press_sequentially("等待", delay=20)
    await expect(page.locator("#rows tr")).to_have_count(1)
    await page.get_by_role("button", name="同意").click()
    await expect(page.locator("#rows tr")).to_contain_text("有效")
    await page.fill("#q", "王预约")
    await expect(page.locator("#rows tr")).to_contain_text("王预约")
    await page.locator("#rows summary").click()
    await page.locator("#rows textarea").fill("误发")
    await page.get_by_role("button", name="确认吊销").click()
    await expect(page.locator("#rows tr")).to_contain_text("已撤销")
    assert page.url.endswith("/staff/visitors")
    assert [(await VisitorPass.get(pk=each)).state for each in (waiting, coming)] == ["active", "revoked"]


async def paths(scene: Scene) -> list[str]:
    """Every page of this part, with something on it."""
    now, place = clock.now(), (scene.compound_id, scene.house_id)
    door = await access.door(
        scene.compound_id, "南门行人闸机", list_sequence=7, listed_at=now - timedelta(hours=5), mode="held_open",
        position="open",
    )  # fmt: skip
    device = await devices.device(scene.compound_id, "gate", name="南门闸机", place="南门岗亭东侧")
    await access.visitor_pass(
        *place, guest_name="李等待", state="requested", decided_at=None, plate="粤B12345"
    )
    await access.visitor_pass(*place, scene.owner.account_id, inside_since=now, companions=2)
    return [
        "/staff/devices", f"/staff/devices/one?device={encode('Device', device)}", "/staff/doors",
        f"/staff/doors/one?door={encode('Door', door)}", "/staff/doors/new", "/staff/access-rules", "/staff/visitors",
    ]  # fmt: skip


@LOOKS
async def test_every_page_fits_and_can_be_read(
    served: str, opened: Browser, scene: Scene, size: tuple[int, int], dark: bool, locale: str
) -> None:
    examined = size == NARROW
    async with window(opened, size, dark=dark, locale=locale, examined=examined) as each:
        page = each.page
        await each.sign_in(served, await staff_of(scene, *EVERYTHING), identity.PASSWORD)
        await page.wait_for_url("**/staff/guard")
        for path in await paths(scene):
            await page.goto(served + path)
            for summary in await page.locator("main summary").all():
                await summary.click()
            assert not await page.evaluate(WIDER), path
            assert await page.evaluate(CONTRAST) == [], path
            assert await each.barriers() == [], path
            assert await page.locator("h1").count() == 1
            assert await page.evaluate(UNLABELLED) == [], path
