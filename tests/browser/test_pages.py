"""The staff pages in a real browser: no complaint of the console, no violated policy, keyboard and phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from api.settings import Settings
from api.wiring import PERMISSIONS
from domains.residents.models import Registration
from tests.api.pages.test_imports import GOOD
from tests.api.pages.test_registrations import registered, staff_of
from tests.browser.driving import DESK, NARROW, PHONE, window
from tests.factories import identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


async def everyone(scene: Scene) -> str:
    """The login of staff who may do everything in the scene's compound."""
    return await staff_of(scene, *PERMISSIONS)


async def test_a_registration_is_reviewed(served: str, opened: Browser) -> None:
    scene = await residents.scene()
    first, second = await registered(scene, "李新民"), await registered(scene, "王强")
    async with window(opened) as each:
        page = each.page
        await each.sign_in(served, await everyone(scene), identity.PASSWORD)
        await page.wait_for_url("**/staff/registrations")
        await expect(page.locator(".case")).to_have_count(2)
        card = page.locator(".case", has_text="李新民")
        await card.get_by_role("button", name="通过").click()
        await expect(card).to_contain_text("已通过")
        card = page.locator(".case", has_text="王强")
        await card.locator("summary").click()
        await card.locator("textarea").fill("请到前台核验")
        await card.get_by_role("button", name="确认驳回").click()
        await expect(card).to_contain_text("已驳回")
        await page.select_option("#state", "REJECTED")
        await expect(page.locator(".case")).to_have_count(1)
        assert "state=REJECTED" in page.url
    states = [(await Registration.get(pk=id)).state for id in (first, second)]
    assert states == ["approved", "rejected"]


async def test_typing_searches_and_addresses_stay_clean(served: str, opened: Browser) -> None:
    scene = await residents.scene()
    async with window(opened) as each:
        page = each.page
        await each.sign_in(served, await everyone(scene), identity.PASSWORD)
        await page.wait_for_url("**/staff/registrations")
        await page.click(".side >> text=房屋住户")
        await page.locator("#q").press_sequentially("钱邻居", delay=30)
        await expect(page.locator("#found")).to_contain_text("1号楼1单元102")
        await expect(page.locator("#found")).not_to_contain_text("张建国")
        assert page.url.endswith("/staff/search")


async def test_a_register_is_uploaded_and_applied(served: str, opened: Browser, tmp_path: Path) -> None:
    scene = await residents.scene()
    (tmp_path / "台账.xlsx").write_bytes(GOOD)
    async with window(opened) as each:
        page = each.page
        await each.sign_in(served, await everyone(scene), identity.PASSWORD)
        await page.wait_for_url("**/staff/registrations")
        await page.goto(f"{served}/staff/import")
        await page.set_input_files("#file", tmp_path / "台账.xlsx")
        await page.click("text=上传并识别")
        await expect(page.locator("#report")).to_contain_text("可以导入")
        await page.get_by_role("button", name="应用").click()
        await expect(page.locator("#report")).to_contain_text("已导入")


async def test_an_ended_session_leads_an_open_page_to_the_sign_in(served: str, opened: Browser) -> None:
    scene = await residents.scene()
    async with window(opened) as each:
        page = each.page
        await each.sign_in(served, await everyone(scene), identity.PASSWORD)
        await page.wait_for_url("**/staff/registrations")
        await each.context.clear_cookies()
        await page.select_option("#state", "APPROVED")
        await page.wait_for_url("**/staff/sign-in*")


async def test_the_keyboard_is_enough(served: str, opened: Browser) -> None:
    scene = await residents.scene()
    async with window(opened) as each:
        page = each.page
        await page.goto(f"{served}/staff/sign-in")
        await page.keyboard.type(await everyone(scene))
        await page.keyboard.press("Tab")
        await page.keyboard.type(identity.PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/staff/registrations")
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#main")).to_be_focused()
        await page.locator(".top .menu summary").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".top .menu-list")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator(".top .menu-list")).to_be_hidden()
        await expect(page.locator(".top .menu summary")).to_be_focused()


async def test_a_phone_finds_the_pages_that_do_not_fit(served: str, opened: Browser) -> None:
    scene = await residents.scene()
    async with window(opened, NARROW) as each:
        page = each.page
        await each.sign_in(served, await everyone(scene), identity.PASSWORD)
        await page.wait_for_url("**/staff/registrations")
        await page.locator(".bottom summary").click()
        await page.locator(".bottom .menu-list").get_by_text("系统对接").click()
        await page.wait_for_url("**/staff/webhooks")


@pytest.mark.parametrize(("size", "dark"), [(NARROW, False), (PHONE, True), (DESK, True)])
async def test_every_page_fits_and_every_field_is_labelled(
    served: str, opened: Browser, size: tuple[int, int], dark: bool
) -> None:
    scene = await residents.scene()
    await registered(scene)
    login = await everyone(scene)
    examined = (size, dark) in ((NARROW, False), (DESK, True))
    async with window(opened, size, dark=dark, examined=examined) as each:
        page = each.page
        each.provoked.append("404")
        for path in ("/", "/join/GYL", "/staff/sign-in", "/nowhere", "/documents/ABCDEFGH"):
            await page.goto(served + path)
            assert not await page.evaluate(WIDER), path
            assert await each.barriers() == [], path
        await each.sign_in(served, login, identity.PASSWORD)
        await page.wait_for_url("**/staff/registrations")
        for path in (
            "/staff/registrations",
            "/staff/search",
            "/staff/import",
            "/staff/audit",
            "/staff/inbox",
            "/staff/inbox/settings",
            "/staff/deliveries",
            "/staff/webhooks",
            "/staff/password",
        ):
            await page.goto(served + path)
            assert not await page.evaluate(WIDER), path
            unlabelled = await page.evaluate(
                "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
                ".filter(field => !field.labels.length).map(field => field.name)"
            )
            assert unlabelled == [], path
            assert await each.barriers() == [], path
            assert await page.locator("h1").count() == 1
            theme = await page.evaluate("document.documentElement.getAttribute('data-bs-theme')")
            assert theme == ("dark" if dark else "light")


CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("dark", [False, True])
async def test_texts_stand_out_from_their_ground(served: str, opened: Browser, dark: bool) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1, and 3 to 1 for large text."""
    scene = await residents.scene()
    await registered(scene)
    login = await everyone(scene)
    async with window(opened, DESK, dark=dark) as each:
        page = each.page
        for path in ("/", "/staff/sign-in?ended=1"):
            await page.goto(served + path)
            assert await page.evaluate(CONTRAST) == [], path
        await each.sign_in(served, login, identity.PASSWORD)
        await page.wait_for_url("**/staff/registrations")
        for path in (
            "/staff/registrations",
            "/staff/import",
            "/staff/audit",
            "/staff/inbox",
            "/staff/inbox/settings",
            "/staff/deliveries",
            "/staff/webhooks",
        ):
            await page.goto(served + path)
            assert await page.evaluate(CONTRAST) == [], path


async def test_a_script_that_gets_in_is_stopped_by_the_policy(
    served: str, opened: Browser, settings: Settings
) -> None:
    context = await opened.new_context()
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(served)
    ran = await page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = true';"
        " document.body.append(s); return window.ran === true; }"
    )
    await context.close()
    assert not ran
    assert any("Content Security Policy" in text for text in said)
