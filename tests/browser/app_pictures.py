"""Pictures of the mini-program for the documents (小程序图片): `python -m tests.browser.app_pictures`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from api.demo.people import demo_people
from tests.browser.driving import PHONE, browser, chromium, window
from tests.journeys.instance import REPOSITORY, free_port, fresh, started

IMAGES = REPOSITORY / "docs" / "images"
HOME = REPOSITORY / ".linli" / "app-pictures"
GUEST = "马晓峰"
SCREENS = ("home", "visitors", "doors", "bills", "account", "inbox")
DARK = {"shade": "dark", "type": "normal", "contrast": False}
LARGE = {"shade": "light", "type": "largest", "contrast": False}


async def shoot_app(opened: Browser, url: str) -> None:
    """The screens of the demo's owner: signing in, inviting, paying; then home in the dark and in large type."""
    async with window(opened, PHONE) as each:
        await _sign_in(each.page, url)
        await _invite(each.page, url)
        for name in SCREENS:
            await _open(each.page, url, name)
            await _shoot(each.page, f"app-{name}")
        await _pay(each.page, url)
        for name, look in (("dark", DARK), ("large", LARGE)):
            kept = json.dumps({"type": "object", "data": look})
            await each.page.evaluate("(kept) => localStorage.setItem('linli.look', kept)", kept)
            await _open(each.page, url, "home")
            await _shoot(each.page, f"app-home-{name}")


async def _sign_in(page: Page, url: str) -> None:
    await page.goto(f"{url}/app/")
    await expect(page.get_by_role("button", name="微信登录")).to_be_visible()
    await _shoot(page, "app-sign-in")
    await page.get_by_role("button", name="微信登录").click()
    await page.get_by_role("radio", name=demo_people().owner.name).check()
    await _shoot(page, "app-stand-in")
    await page.get_by_role("button", name="同意登录").click()
    await expect(page.get_by_text("我的房屋")).to_be_visible()


async def _invite(page: Page, url: str) -> None:
    await _open(page, url, "invite")
    await page.get_by_label("访客姓名").fill(GUEST)
    await _shoot(page, "app-invite")
    await page.get_by_role("button", name="邀请", exact=True).click()
    await expect(page.get_by_role("button", name="复制链接")).to_be_visible()
    await _shoot(page, "app-visit")


async def _pay(page: Page, url: str) -> None:
    await _open(page, url, "bills")
    await page.get_by_role("button", name="看明细").first.click()
    await _shoot(page, "app-bill")
    await page.get_by_role("button", name="去支付").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await _shoot(page, "app-pay")
    await page.get_by_role("dialog").get_by_role("button", name="支付", exact=False).last.click()
    await page.get_by_role("button", name="支付", exact=True).click()
    await expect(page.get_by_role("button", name="打开收据")).to_be_visible()
    await _shoot(page, "app-payment")


async def _open(page: Page, url: str, name: str) -> None:
    """As somebody who comes by a link: nothing of the screen before is left."""
    await page.goto("about:blank")
    await page.goto(f"{url}/app/#/pages/{name}/index")
    await page.wait_for_load_state("networkidle")
    await expect(page.get_by_role("status", name="正在加载")).to_have_count(0)


async def _shoot(page: Page, name: str) -> None:
    await page.evaluate("document.fonts.ready.then(() => true)")
    # What rises or fades is at rest before it is taken.
    await page.wait_for_function(
        "() => document.getAnimations().every(({ playState }) => playState !== 'running')"
    )
    await page.screenshot(path=IMAGES / f"{name}.png")


async def _all(url: str, path: str) -> None:
    async with browser(path) as opened:
        await shoot_app(opened, url)


def main(home: Path = HOME) -> None:
    """Start the demo and take the pictures."""
    path = chromium(whole=True)
    if path is None:
        raise SystemExit("Chromium is missing: apt-get install chromium fonts-noto-cjk")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with started(fresh(home), free_port(), "demo") as instance:
        asyncio.run(_all(instance.url, path))


if __name__ == "__main__":
    main()
