"""The guard's page in a real browser: on a phone with a camera before it, with one hand, while things change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Browser, expect

from domains.access import permissions
from domains.access.handlers import VISIT_CHANGED
from domains.access.service import texts
from domains.devices import permissions as devices_permissions
from domains.devices.handlers import ALARM_CHANGED
from domains.identity.queries import holders
from domains.kernel import clock, database
from notifications import viewer_events
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.browser import camera
from tests.browser.driving import LOOKS, NARROW, Window, browser, installed, window
from tests.browser.test_pages import CONTRAST, WIDER
from tests.factories import access, alarms, devices, guards, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
EVERYTHING = (*permissions.LABELS, *devices_permissions.LABELS)
# What a thumb has to meet: everything that can be pressed, but links within a text.
SMALL = """[...document.querySelectorAll('main button, main summary, main .btn, main select, main input:not([type=hidden])')]
  .filter((each) => each.checkVisibility() && !each.matches('.form-check-input, .chip input'))
  .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect().height]).filter(([, height]) => height < 47.5)"""


@dataclass(frozen=True, slots=True)
class Gate:
    """A scene with one gate; `login` is a guard's who may do everything there."""

    scene: Scene
    door_id: UUID
    login: str

    async def visit(self, name: str, **columns: Any) -> UUID:  # Any: columns
        """A pass for the scene's house."""
        columns = {"host_id": self.scene.owner.account_id, "guest_name": name, **columns}
        return await access.visitor_pass(self.scene.compound_id, self.scene.house_id, **columns)

    async def tell(self, event: str, permission: str) -> None:
        """What follows a change tells those who may see it."""
        async with database.transaction():
            watching = await holders(permission, self.scene.compound_id)
            await viewer_events.tell(watching, event)

    async def fire(self) -> None:
        """The fire panel reports."""
        panel = await devices.device(self.scene.compound_id, "fire_panel", name="消控主机", place="消控室")
        await alarms.raised(panel)


@pytest.fixture
async def gate() -> Gate:
    """Places and people that no other test uses."""
    scene = await residents.scene()
    return Gate(scene, await access.door(scene.compound_id), await staff_of(scene, *EVERYTHING))


@pytest.fixture
async def phone(served: str, opened: Browser, gate: Gate) -> AsyncIterator[Window]:
    """The guard's phone, signed in."""
    async with window(opened, NARROW) as each:
        await each.sign_in(served, gate.login, identity.PASSWORD)
        await each.page.wait_for_url("**/staff/guard")
        yield each


def sheet_of(pass_id: UUID) -> str:
    """The path of a visitor's sheet."""
    return f"/staff/guard/visitor?pass={encode('VisitorPass', pass_id)}"


async def test_a_visitor_is_found_and_admitted(phone: Window, served: str, gate: Gate) -> None:
    pass_id = await gate.visit("王预约", plate="粤B12345")
    await gate.visit("钱别人")
    page = phone.page
    await page.locator("#words").press_sequentially("12345", delay=20)
    await expect(page.locator(".visit")).to_have_count(1)
    await page.locator(".visit").click()
    await page.get_by_text("已核对证件").click()
    await page.get_by_role("button", name="放行").dblclick()
    await expect(page.locator(".verdict.yes")).to_contain_text("已放行")
    await page.wait_for_url("**/staff/guard")
    await expect(page.locator("#visits")).to_contain_text("在内访客")
    kept = await guards.visit(pass_id)
    assert kept.uses == 1 and kept.document_checked_at is not None
    assert len(await guards.recorded(pass_id)) == 1


async def test_a_visitor_is_refused_with_a_reason(phone: Window, served: str, gate: Gate) -> None:
    pass_id = await gate.visit("王预约")
    page = phone.page
    await page.goto(served + sheet_of(pass_id))
    await page.locator(".refusing summary").click()
    await page.get_by_label("证件不符").check()
    await page.get_by_role("button", name="确认拒绝").click()
    await expect(page.locator(".verdict.yes")).to_contain_text("已拒绝")
    assert [row["note"] for row in await guards.recorded(pass_id)] == ["证件不符"]


async def test_what_changes_shows_without_a_reload(phone: Window, gate: Gate) -> None:
    page = phone.page
    await expect(page.locator("#visits")).to_contain_text("现在没有访客")
    await gate.visit("李等待", state="requested", decided_at=None, host_id=None, origin="visitor")
    await gate.tell(VISIT_CHANGED, permissions.VISITORS_ADMIT)
    await expect(page.locator("#waiting")).to_contain_text("等待确认")
    await gate.fire()
    await gate.tell(ALARM_CHANGED, devices_permissions.ALARMS_READ)
    await expect(page.locator(".strip-alarm")).to_contain_text("消控室")
    await expect(page.locator("#open-alarms")).to_have_text("1")


async def test_an_alarm_is_taken_on_in_one_tap_and_cleared_with_a_note(phone: Window, gate: Gate) -> None:
    await gate.fire()
    page = phone.page
    await page.locator(".guard-bar a[href$='/guard/alarms']").click()
    await page.get_by_role("button", name="我来处理").click()
    await expect(page.locator(".alarm")).to_contain_text("处理中")
    await page.locator(".alarm summary").click()
    await page.fill("textarea[name=note]", "误触手报按钮")
    await gate.tell(ALARM_CHANGED, devices_permissions.ALARMS_READ)
    await page.wait_for_timeout(600)
    await expect(page.locator("textarea[name=note]")).to_have_value("误触手报按钮")
    await page.get_by_role("button", name="确认解除").click()
    await expect(page.locator(".alarm.over")).to_contain_text("已解除")


async def test_a_walk_in_is_corrected_and_registered(phone: Window, gate: Gate) -> None:
    page = phone.page
    await page.locator(".guard-bar").get_by_text("登记").click()
    await page.fill("#place", "9-9-999")
    await page.fill("#name", "孙快递")
    await page.get_by_role("button", name="登记并放行").click()
    await expect(page.get_by_role("alert")).to_contain_text("没有找到")
    await expect(page.locator("#name")).to_have_value("孙快递")
    await page.fill("#place", "1-1-101")
    await page.get_by_role("button", name="登记并放行").click()
    await page.wait_for_url("**/staff/guard")
    await expect(page.locator("#notices")).to_contain_text("孙快递 已登记并放行")


async def test_the_camera_reads_a_code_and_the_guard_admits(served: str, gate: Gate, tmp_path: Path) -> None:
    pass_id = await gate.visit("王预约")
    shown, path = await texts.text_of(pass_id), installed()
    camera.film(tmp_path / "code.y4m", shown or "")
    async with (
        browser(path, *camera.arguments(tmp_path / "code.y4m")) as filmed,
        window(filmed, NARROW) as each,
    ):
        page = each.page
        await each.sign_in(served, gate.login, identity.PASSWORD)
        await page.wait_for_url("**/staff/guard")
        await page.locator(".guard-bar").get_by_text("扫码").click()
        await expect(page.locator(".verdict.yes")).to_contain_text("王预约", timeout=15_000)
        assert (await guards.visit(pass_id)).uses == 0
        await page.locator(".verdict").get_by_role("button", name="放行").click()
        await expect(page.locator("#verdict-words")).to_have_text("已放行")
        # Back at the camera, which still sees the code: it is used up by now.
        await expect(page.locator(".verdict.no")).to_contain_text("次数已用完", timeout=15_000)
        await page.keyboard.press("Escape")
        await expect(page.locator(".verdict")).to_have_count(0)
    assert (await guards.visit(pass_id)).uses == 1


async def test_without_a_camera_digits_are_typed(phone: Window, served: str, gate: Gate) -> None:
    page = phone.page
    await page.goto(f"{served}/staff/guard/scan")
    await expect(page.get_by_text("没有可用的摄像头")).to_be_visible()
    await page.fill("#digits", "000000")
    await page.get_by_role("button", name="查验").click()
    await expect(page.locator(".verdict.no")).to_contain_text("数字码不正确")
    await page.get_by_text("继续扫码").click()
    await expect(page.locator(".verdict")).to_have_count(0)


async def test_without_a_script_visitors_are_admitted(served: str, opened: Browser, gate: Gate) -> None:
    pass_id = await gate.visit("王预约")
    context = await opened.new_context(java_script_enabled=False, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{served}/staff/sign-in")
    await page.fill("#login", gate.login)
    await page.fill("#password", identity.PASSWORD)
    await page.click("button[type=submit]")
    await page.fill("#words", "预约")
    await page.keyboard.press("Enter")
    await page.locator(".visit").click()
    await page.get_by_role("button", name="放行").click()
    await expect(page.locator("#notices")).to_contain_text("已放行")
    await context.close()
    assert (await guards.visit(pass_id)).uses == 1


async def paths(gate: Gate) -> list[str]:
    """Every page of this part, with something on it."""
    now = clock.now()
    await gate.visit("李等待", state="requested", decided_at=None, host_id=None, origin="visitor")
    await gate.visit("赵在内", inside_since=now, last_used_at=now, uses=1, uses_allowed=3)
    car = await gate.visit("王预约", plate="粤B12345", is_car_refused=True, companions=2)
    await access.record(gate.door_id, result="refused", reason="EXPIRED", plate="粤B12345")
    await gate.fire()
    panel = await devices.device(gate.scene.compound_id, "lift", place="1号楼1单元电梯机房")
    device = f"/staff/devices/one?device={encode('Device', panel)}"
    guard = [f"/staff/guard{each}" for each in ("", "/scan", "/walk-in", "/alarms")]
    records = ["/staff/access-records", "/staff/access-records/statistics"]
    return [*guard, sheet_of(car), "/staff/alarms", *records, "/staff/devices", device, "/staff/devices/new"]


@LOOKS
async def test_every_page_fits_and_can_be_read(
    served: str, opened: Browser, gate: Gate, size: tuple[int, int], dark: bool, locale: str
) -> None:
    async with window(opened, size, dark=dark, locale=locale, examined=size == NARROW) as each:
        page = each.page
        await each.sign_in(served, gate.login, identity.PASSWORD)
        await page.wait_for_url("**/staff/guard")
        for path in await paths(gate):
            await page.goto(served + path)
            assert not await page.evaluate(WIDER), path
            assert await page.evaluate(CONTRAST) == [], path
            assert await each.barriers() == [], path
            assert await page.locator("h1").count() == 1
            unlabelled = await page.evaluate(
                "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
                ".filter(field => !field.labels.length).map(field => field.name)"
            )
            assert unlabelled == [], path
            if "/guard" in path:
                assert await page.evaluate(SMALL) == [], path
