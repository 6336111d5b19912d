"""The visitor's pages in a real browser: asked for, approved, scanned, taken back; without a network; on a phone."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from playwright.async_api import Browser, Page, expect

from domains.access import sealed
from domains.access.gate.reasons import Reason
from domains.access.gate.verifier import Gate, GateSettings, Unbound
from domains.access.models import VisitorPass
from domains.access.service import lists, passes, requests
from domains.kernel import clock
from tests.browser import qr
from tests.browser.driving import LOOKS, NARROW, Window, window
from tests.browser.test_pages import CONTRAST, WIDER
from tests.factories import access, alarms, devices, gates, residents, visits
from tests.factories.gates import Post
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Visit:
    """A scene with a gate, and a pass with its link."""

    scene: Scene
    gate: Post
    pass_id: UUID
    path: str


async def visit(*, needs_screen: bool = False, **more: Any) -> Visit:  # Any: columns
    """A pass that counts now."""
    scene = await residents.scene()
    gate = await gates.post(scene.compound_id, "南门", needs_screen=needs_screen)
    return await another(scene, gate, **more)


async def another(scene: Scene, gate: Post, **more: Any) -> Visit:  # Any: columns
    """Another pass of the same house."""
    secret = secrets.token_urlsafe(16)
    columns = {**sealed.link_columns(secret), **more}
    id = await access.visitor_pass(scene.compound_id, scene.house_id, scene.owner.account_id, **columns)
    return Visit(scene, gate, id, f"/v/{secret}")


async def shown(page: Page) -> str:
    """What the code on the screen says."""
    drawn = page.locator("#pass svg.qr")
    await expect(drawn.locator("path")).to_have_attribute("d", qr.SQUARES)
    side = int(str(await drawn.get_attribute("viewBox")).split()[2])
    return qr.decode(qr.matrix_of(str(await drawn.locator("path").get_attribute("d")), side))


async def offline_gate(folder: Path, post: Post) -> Gate:
    """The verifier with what the server gives its gate."""
    held = await lists.keys_of(post.device_id)
    keys = {kid: Ed25519PublicKey.from_public_bytes(raw) for kid, raw in held.keys.items()}
    settings = GateSettings(
        community=held.community, number=held.gate, unbound=Unbound.COUNT, screen_required=held.needs_screen,
        screen_key=held.screen_key,
    )  # fmt: skip
    made = Gate(folder, settings, keys, lambda: None)
    made.apply((await lists.revocations_after(post.device_id, after=0)).delta)
    return made


@pytest.mark.parametrize(
    ("size", "needs_screen"), [(NARROW, True), ((1280, 900), False)], ids=["phone", "desk"]
)
async def test_asked_for_approved_scanned_and_used_without_a_reload(
    served: str, opened: Browser, size: tuple[int, int], needs_screen: bool
) -> None:
    scene = await residents.scene()
    gate = await gates.post(scene.compound_id, "南门", needs_screen=needs_screen)
    async with window(opened, size) as each:
        page = each.page
        await page.goto(f"{served}/visit/{scene.code}")
        await page.fill("#room", "1-1-101")
        await page.fill("#name", "李四")
        await page.fill("#phone", "13812345678")
        await page.get_by_role("button", name="发给住户确认").click()
        await page.wait_for_url("**/v/*")
        await expect(page.locator("h1")).to_contain_text("申请已发出")
        await page.evaluate("window.isSame = true")
        pass_id = await visits.last_pass()
        await requests.decide_visitor_pass(await visits.owner(scene), visitor_pass_id=pass_id, approve=True)
        await expect(page.locator("h1")).to_contain_text("李四，欢迎来访")
        await expect(page.locator(".digits")).to_be_visible()
        assert await gate.reason(await shown(page), "in") == Reason.OK
        await expect(page.locator("h1")).to_contain_text("已经进入")
        await expect(page.locator(".used")).to_contain_text("已使用 1 次")
        await expect(page.locator(".used")).to_contain_text("南门")
        await expect(page.locator("#said")).to_contain_text("已使用 1 次")
        assert await page.evaluate("window.isSame") is True
        assert await gate.reason(await shown(page), "out") == Reason.OK


async def test_a_pass_that_is_taken_back_says_so_at_once(served: str, opened: Browser) -> None:
    made = await visit()
    async with window(opened, NARROW) as each:
        page = each.page
        await page.goto(served + made.path)
        await shown(page)
        await passes.revoke_visitor_pass(await visits.owner(made.scene), visitor_pass_id=made.pass_id)
        await expect(page.locator("h1")).to_contain_text("通行证已收回")
        await expect(page.locator("svg.qr")).to_have_count(0)


async def test_the_moving_code_opens_a_gate_without_a_network_and_its_picture_does_not(
    served: str, opened: Browser, tmp_path: Path
) -> None:
    made = await visit(needs_screen=True)
    gate = await offline_gate(tmp_path, made.gate)
    async with window(opened, NARROW) as each:
        await each.page.goto(served + made.path)
        text = await shown(each.page)
    now = int(time.time())
    assert text.startswith("RC2:")
    assert gate.admit(text, now + 120).reason is Reason.SCREEN_STALE
    assert gate.admit(text, now).reason is Reason.OK


async def test_the_moving_code_is_another_one_after_a_while(served: str, opened: Browser) -> None:
    made = await visit(needs_screen=True)
    async with window(opened, NARROW) as each:
        page = each.page
        await page.clock.install()
        await kept(each, served + made.path)
        await shown(page)
        # Whatever answers would have it go by the server's clock.
        await each.context.set_offline(True)
        drawn = page.locator("svg.qr path")
        first = str(await drawn.get_attribute("d"))
        await page.clock.run_for(21_000)
        await expect(drawn).not_to_have_attribute("d", first)
        assert await made.gate.reason(await shown(page), "in") == Reason.OK
        each.provoked.append("ERR_INTERNET_DISCONNECTED")


async def test_a_phone_with_a_wrong_clock_shows_a_code_that_counts(served: str, opened: Browser) -> None:
    made = await visit(needs_screen=True)
    async with window(opened, NARROW) as each:
        page = each.page
        await page.clock.install(time=clock.now() - 30 * HOUR)
        await page.goto(served + made.path)
        await expect(page.locator("#pass")).to_have_attribute("data-phase", "now")
        assert await made.gate.reason(await shown(page), "in") == Reason.OK


KEPT = """async () => {
  if (!navigator.serviceWorker.controller) return false;
  const parts = [...document.querySelectorAll("link, script, use")];
  const files = parts.map((each) => each.href?.baseVal ?? each.href ?? each.src);
  const wanted = [location.pathname, ...files.map((each) => each.split("#")[0])];
  const found = await Promise.all(wanted.map((each) => caches.match(each, { ignoreVary: true })));
  return found.every(Boolean);
}"""


async def kept(each: Window, url: str) -> None:
    """Open the page and wait until it is there without a network."""
    await each.page.goto(url)
    async with asyncio.timeout(20):
        while not await each.page.evaluate(KEPT):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("needs_screen", [False, True], ids=["still", "moving"])
async def test_a_page_that_was_opened_once_is_there_without_a_network(
    served: str, opened: Browser, needs_screen: bool
) -> None:
    made = await visit(needs_screen=needs_screen, uses_allowed=3)
    async with window(opened, NARROW) as each:
        page = each.page
        await kept(each, served + made.path)
        await each.context.set_offline(True)
        await page.reload()
        await expect(page.locator(".offline")).to_contain_text("没有网络")
        await expect(page.locator(".offline")).to_contain_text("前仍可使用")
        assert (
            await page.evaluate("getComputedStyle(document.querySelector('.ticket')).borderRadius") == "20px"
        )
        assert await made.gate.reason(await shown(page), "in") == Reason.OK
        await each.context.set_offline(False)
        await expect(page.locator(".used")).to_contain_text("已使用 1 次", timeout=10_000)
        await expect(page.locator(".offline")).to_be_hidden()
        each.provoked.append("ERR_INTERNET_DISCONNECTED")


async def test_a_kept_page_goes_with_its_link(served: str, opened: Browser) -> None:
    made = await visit()
    async with window(opened, NARROW) as each:
        page = each.page
        await kept(each, served + made.path)
        await VisitorPass.filter(pk=made.pass_id).update(**sealed.link_columns(secrets.token_urlsafe(16)))
        await page.reload()
        await expect(page.locator("h1")).to_contain_text("没有找到这张通行证")
        assert (
            await page.evaluate(
                "caches.open('visitor-pages').then((kept) => kept.keys()).then((all) => all.length)"
            )
            == 0
        )
        each.provoked.append("404")


async def test_what_time_does_to_a_page_needs_no_network(served: str, opened: Browser) -> None:
    now = clock.now()
    made = await visit(starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    async with window(opened, NARROW) as each:
        page = each.page
        await page.clock.install()
        await kept(each, served + made.path)
        await expect(page.get_by_text("还没到来访时间")).to_be_visible()
        await each.context.set_offline(True)
        await page.clock.fast_forward("01:01:00")
        await expect(page.get_by_text("到门口出示下面的二维码")).to_be_visible()
        await page.clock.fast_forward("01:01:00")
        await expect(page.get_by_text("来访时间已过")).to_be_visible()
        await expect(page.locator(".over")).to_be_visible()
        await expect(page.locator(".digits")).to_be_hidden()
        each.provoked.append("ERR_INTERNET_DISCONNECTED")


async def test_where_no_connection_is_to_be_had_the_page_looks_by_turns(served: str, opened: Browser) -> None:
    made = await visit(uses_allowed=None)
    async with window(opened, NARROW) as each:
        page = each.page
        await page.clock.install()
        await page.route("**/live", lambda route: route.fulfill(status=204))
        await page.goto(served + made.path)
        await shown(page)
        assert await made.gate.reason(await shown(page), "in") == Reason.OK
        await page.clock.run_for(25_000)
        await expect(page.locator(".used")).to_contain_text("已使用 1 次")


async def test_the_forms_mistakes_stand_beside_their_fields(served: str, opened: Browser) -> None:
    scene = await residents.scene()
    async with window(opened, NARROW) as each:
        page = each.page
        await page.goto(f"{served}/visit/{scene.code}")
        for name, typed in {"room": "1-1-999", "name": "李四", "phone": "123"}.items():
            await page.fill(f"#{name}", typed)
        await page.get_by_role("button", name="发给住户确认").click()
        await expect(page.locator("#phone-error")).to_contain_text("手机号不正确")
        await expect(page.locator("#phone")).to_have_attribute("aria-invalid", "true")
        await page.fill("#phone", "13812345678")
        await page.get_by_role("button", name="发给住户确认").click()
        await expect(page.locator("#room-error")).to_contain_text("没有找到这套房屋")
        await expect(page.locator("#name")).to_have_value("李四")


SCREENS: Mapping[str, dict[str, Any]] = {  # Any: columns
    "active": {"message": "到了打电话", "plate": "浙A12345", "is_car_refused": True},
    "unlimited": {"uses_allowed": None, "ends_at": clock.now() + 60 * HOUR},
    "requested": {"state": "requested", "origin": "visitor", "decided_at": None},
    "rejected": {"state": "rejected", "ended_at": clock.now()},
    "revoked": {"state": "revoked", "ended_at": clock.now()},
    "expired": {"state": "expired", "ended_at": clock.now()},
}


@LOOKS
async def test_every_screen_fits_and_can_be_read(
    served: str, opened: Browser, size: tuple[int, int], dark: bool, locale: str
) -> None:
    first = await visit()
    paths = [first.path, f"/visit/{first.scene.code}"]
    paths += [(await another(first.scene, first.gate, **more)).path for more in SCREENS.values()]
    async with window(opened, size, dark=dark, locale=locale, examined=size == NARROW) as each:
        page = each.page
        for path in [*paths, "fire"]:
            if path == "fire":
                await alarms.raised(
                    await devices.device(first.scene.compound_id, "smoke_detector", first.scene.building_id)
                )
            await page.goto(served + (first.path if path == "fire" else path))
            assert not await page.evaluate(WIDER), path
            assert await page.evaluate(CONTRAST) == [], path
            assert await each.barriers() == [], path
            assert await page.locator("h1").count() == 1
