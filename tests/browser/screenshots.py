"""Pictures of the pages for the documents: `python -m tests.browser.screenshots` writes docs/images/."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Page

from api.demo.loading import PASSWORD
from api.demo.people import demo_people
from api.demo.places import COMPOUND
from tests.browser.app_pictures import shoot_app
from tests.browser.driving import DESK, PHONE, browser, chromium, window
from tests.journeys.client import Client
from tests.journeys.instance import REPOSITORY, free_port, fresh, started

IMAGES = REPOSITORY / "docs" / "images"
HOME = REPOSITORY / ".linli" / "screenshots"
REGISTER_FILE = REPOSITORY / "tests" / "data" / "registers" / "register-jingui.xlsx"
SIZES = {"desk": DESK, "phone": PHONE}
PLAIN = {
    "audit": "/staff/audit", "inbox": "/staff/inbox", "inbox-settings": "/staff/inbox/settings",
    "deliveries": "/staff/deliveries", "webhooks": "/staff/webhooks", "jobs": "/staff/jobs",
    "alarms": "/staff/alarms", "access-records": "/staff/access-records", "devices": "/staff/devices",
    "access-statistics": "/staff/access-records/statistics",
    "visitors": "/staff/visitors", "doors": "/staff/doors", "access-rules": "/staff/access-rules",
    "door-new": "/staff/doors/new",
    "fee-items": "/staff/fees", "fee-item-new": "/staff/fees/new", "billing-rules": "/staff/fees/rules",
    "house-terms": "/staff/fees/houses", "shared-costs": "/staff/fees/shared",
    "one-off-charges": "/staff/fees/once", "meters": "/staff/meters",
    "readings-enter": "/staff/meters/enter", "readings-review": "/staff/meters/review",
    "consumption": "/staff/meters/use", "meter-import": "/staff/meters/import",
    "billing-runs": "/staff/billing-runs", "bills": "/staff/bills", "corrections": "/staff/corrections",
    "desk": "/staff/desk?house=3幢1单元1201", "payments": "/staff/payments", "refunds": "/staff/refunds",
    "payment-exceptions": "/staff/payments/exceptions", "ledger": "/staff/ledger",
    "arrears": "/staff/arrears", "promises": "/staff/arrears/promises", "dunning": "/staff/dunning",
    "books": "/staff/books", "expenses": "/staff/books/expenses",
}  # fmt: skip
"""Pages that are shown as they open."""
FIRST = {
    "device": "/staff/devices",
    "door": "/staff/doors",
    "fee-item": "/staff/fees",
    "meter": "/staff/meters",
}
"""The first of a list, with its own page."""
REQUEST = "mutation Code($input: RequestSmsCodeInput!) { requestSmsCode(input: $input) { errors { code } } }"
SIGN_IN = """mutation SignIn($input: SignInWithSmsInput!) { signInWithSms(input: $input) {
  credentials { accessToken } errors { code message } } }"""
REGISTER = """mutation Register($input: RegisterResidentInput!) { registerResident(input: $input) {
  registration { id } errors { code message } } }"""


def register(url: str, platform_url: str, phone: str, **fields: str) -> None:
    """A resident signs in by SMS and registers to a house."""
    client = Client(url)
    assert client.ask(REQUEST, input={"phone": phone})["requestSmsCode"]["errors"] == []
    messages = client.http.get(f"{platform_url}/open/sms", params={"phone": phone}).json()["messages"]
    code = messages[0]["params"]["code"]
    signed_in = client.ask(SIGN_IN, input={"phone": phone, "code": code})["signInWithSms"]
    client.token = signed_in["credentials"]["accessToken"]
    given = {"compoundCode": COMPOUND.code, **fields}
    done = client.ask(REGISTER, input=given)["registerResident"]
    assert done["errors"] == [], done


async def shoot(page: Page, name: str) -> None:
    """One picture of what the window shows."""
    # Not until the network is idle: a page that follows its inbox never is.
    await page.wait_for_load_state("load")
    await page.evaluate("document.fonts.ready.then(() => true)")
    await page.screenshot(path=IMAGES / f"{name}.png")


async def walk(page: Page, url: str, register_path: Path, suffix: str) -> None:
    """Every page in the state in which people see it."""
    await page.goto(f"{url}/staff/registrations")
    await shoot(page, f"registrations-{suffix}")
    await page.goto(f"{url}/staff/search")
    await page.fill("#q", "3幢1单元12")
    await page.wait_for_selector("#houses-title")
    await shoot(page, f"search-{suffix}")
    await page.goto(f"{url}/staff/import")
    await page.set_input_files("#file", register_path)
    await page.click("form.upload button[type=submit]")
    await page.wait_for_selector("#report .counts", timeout=60_000)
    await shoot(page, f"import-{suffix}")
    for name, path in PLAIN.items():
        await page.goto(url + path)
        await shoot(page, f"{name}-{suffix}")
    for name, path in FIRST.items():
        await page.goto(url + path)
        await page.locator("#rows a").first.click()
        await shoot(page, f"{name}-{suffix}")


async def at_the_gate(page: Page, url: str, suffix: str) -> None:
    """What a visitor, who asks to come in, and the guard see."""
    await page.goto(url)
    shown = await page.get_attribute("a[href*='/v/']", "href")
    assert shown is not None
    await page.goto(f"{url}{shown.removeprefix(url)}")
    await shoot(page, f"visitor-{suffix}")
    await page.goto(f"{url}/visit/{COMPOUND.code}")
    await shoot(page, f"visit-{suffix}")


async def shoot_all(url: str, path: str, register_path: Path) -> None:
    """All pages on a desk and on a phone, and the landing page in the dark."""
    async with browser(path) as opened:
        for suffix, size in SIZES.items():
            async with window(opened, size) as each:
                await each.page.goto(url)
                await shoot(each.page, f"landing-{suffix}")
                await each.page.goto(f"{url}/staff/sign-in")
                await shoot(each.page, f"sign-in-{suffix}")
                await each.sign_in(url, "manager", PASSWORD)
                await each.page.wait_for_url("**/staff/registrations")
                await walk(each.page, url, register_path, suffix)
            async with window(opened, size) as each:
                await at_the_gate(each.page, url, suffix)
                await each.sign_in(url, "guard", PASSWORD)
                await each.page.goto(f"{url}/staff/guard")
                await shoot(each.page, f"guard-{suffix}")
        async with window(opened, DESK, dark=True) as each:
            await each.page.goto(url)
            await shoot(each.page, "landing-dark")
            await each.sign_in(url, "manager", PASSWORD)
            await each.page.wait_for_url("**/staff/registrations")
            await shoot(each.page, "registrations-dark")
        await shoot_app(opened, url)


def main() -> None:
    """Start the demo, let residents register, take the pictures."""
    path = chromium(whole=True)
    if path is None:
        raise SystemExit("Chromium is missing: apt-get install chromium fonts-noto-cjk")
    IMAGES.mkdir(parents=True, exist_ok=True)
    people = demo_people()
    with started(fresh(HOME), free_port(), "demo") as instance:
        who = people.grandmother
        place = {"building": who.building, "unit": who.unit, "room": who.room}
        register(instance.url, instance.platform_url, who.phone, name=who.name, capacity="FAMILY", **place)
        register(
            instance.url, instance.platform_url, "19900008888", name="马晓峰", capacity="OWNER",
            building="3幢", unit="1单元", room="1201", note="刚买的二手房,房产证还在办理",
        )  # fmt: skip
        asyncio.run(shoot_all(instance.url, path, REGISTER_FILE))


if __name__ == "__main__":
    main()
