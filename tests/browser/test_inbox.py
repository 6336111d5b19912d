"""Messages in a real browser: the bell while a page is open, notifications of the browser while none is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from api.wiring import PERMISSIONS
from domains.kernel import database
from domains.residents.notices import SUBMITTED
from notifications.notifying import notify
from tests.browser.driving import Window, browser, installed, window
from tests.factories import identity

pytestmark = pytest.mark.usefixtures("instance")
# What the browser's push service would answer: there is none without the network.
PUSH_SERVICE = """
{
  let held = null;
  const made = (key) => ({
    endpoint: "https://push.example.com/abc",
    toJSON: () => ({ endpoint: "https://push.example.com/abc", keys: {
      p256dh: "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
      auth: "tBHItJI5svbpez7KI4CCXg" } }),
    unsubscribe: async () => { held = null; sessionStorage.removeItem("held"); return true; },
  });
  PushManager.prototype.subscribe = async (options) => {
    if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new Error("refused");
    sessionStorage.setItem("held", "1");
    return made();
  };
  PushManager.prototype.getSubscription = async () => sessionStorage.getItem("held") ? made() : null;
}
"""


@pytest.fixture(scope="module")
async def opened() -> AsyncIterator[Browser]:
    """The whole of Chromium: its headless shell knows no notifications."""
    async with browser(installed(whole=True)) as started:
        yield started


async def told(account: UUID, house: str = "3-1-101") -> None:
    """The account is told of a registration. The server runs with the kinds that there are."""
    async with database.transaction():
        await notify(
            [account],
            SUBMITTED,
            {"compound": "桂语里", "house": house},
            dedupe_key=str(uuid4()),
            compound_id=None,
        )


@pytest.fixture
async def account() -> UUID:
    """Staff who may do everything, and were told nothing yet."""
    return await identity.staff(await identity.places(), tuple(PERMISSIONS))


@pytest.fixture
async def desk(served: str, opened: Browser, account: UUID) -> AsyncIterator[Window]:
    """A window in which that person is signed in."""
    async with window(opened) as each:
        await each.sign_in(served, await identity.login_of(account), identity.PASSWORD)
        await each.page.wait_for_url("**/staff/registrations")
        yield each


async def test_the_bell_follows_the_inbox_without_a_reload(desk: Window, served: str, account: UUID) -> None:
    page, bell = desk.page, desk.page.locator(".bell")
    await expect(bell.locator("[data-some]")).to_be_hidden()
    await told(account, "3-1-101")
    await expect(bell).to_contain_text("1")
    await bell.click()
    await expect(page.locator(".note")).to_have_count(1)
    await told(account, "3-1-102")
    await expect(page.locator(".note")).to_have_count(2)
    await expect(bell).to_contain_text("2")
    await page.locator(".note", has_text="3-1-102").get_by_role("button", name="标为已读").click()
    await expect(bell).to_contain_text("1")
    await page.get_by_role("button", name="全部标为已读").click()
    await expect(bell.locator("[data-some]")).to_be_hidden()
    await expect(page.locator(".note.unread")).to_have_count(0)


async def test_a_page_that_nobody_sees_catches_up(desk: Window, served: str, account: UUID) -> None:
    page = desk.page
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    await page.evaluate(hide, True)
    await told(account)
    await asyncio.sleep(0.5)
    await expect(page.locator("[data-some]")).to_be_hidden()
    await page.evaluate(hide, False)
    await expect(page.locator(".bell")).to_contain_text("1")


async def test_a_notice_leads_to_what_it_is_about(desk: Window, served: str, account: UUID) -> None:
    await told(account)
    await desk.page.goto(f"{served}/staff/inbox")
    await desk.page.get_by_role("button", name="去处理").click()
    await desk.page.wait_for_url("**/staff/registrations")
    await expect(desk.page.locator("[data-some]")).to_be_hidden()


async def test_choices_are_kept(desk: Window, served: str, account: UUID) -> None:
    page = desk.page
    await page.goto(f"{served}/staff/inbox/settings")
    await page.locator("[id='registration.submitted-WEB_PUSH']").uncheck()
    await page.fill("#from", "23:15")
    await page.get_by_role("button", name="保存").click()
    await expect(page.locator("#notices")).to_contain_text("免打扰时段已保存")
    await page.reload()
    await expect(page.locator("[id='registration.submitted-WEB_PUSH']")).not_to_be_checked()
    await expect(page.locator("#from")).to_have_value("23:15")


async def browsers_of(account: UUID) -> int:
    count = "SELECT count(*) FROM push_subscription WHERE account_id = $1"
    return int(await database.fetchval(count, account))


async def test_this_computer_takes_notifications_and_lets_go(
    desk: Window, served: str, account: UUID
) -> None:
    page = desk.page
    await desk.context.grant_permissions(["notifications"], origin=served)
    await page.add_init_script(PUSH_SERVICE)
    await page.goto(f"{served}/staff/inbox/settings")
    await page.get_by_role("button", name="在这台电脑上接收通知").click()
    await expect(page.get_by_text("这台电脑正在接收通知")).to_be_visible()
    assert await browsers_of(account) == 1
    await page.reload()
    await expect(page.get_by_text("这台电脑正在接收通知")).to_be_visible()
    await page.get_by_role("button", name="不再接收").click()
    await expect(page.get_by_role("button", name="在这台电脑上接收通知")).to_be_visible()
    assert await browsers_of(account) == 0


async def test_who_chose_it_has_it_again_in_the_next_session_and_nobody_else(
    desk: Window, served: str, account: UUID
) -> None:
    page = desk.page
    await desk.context.grant_permissions(["notifications"], origin=served)
    await page.add_init_script(PUSH_SERVICE)
    await page.goto(f"{served}/staff/inbox/settings")
    await page.get_by_role("button", name="在这台电脑上接收通知").click()
    await expect(page.get_by_text("这台电脑正在接收通知")).to_be_visible()
    await database.execute("DELETE FROM push_subscription WHERE account_id = $1", account)
    other = await identity.staff(await identity.places(), tuple(PERMISSIONS))
    for who in (other, account):
        await desk.context.clear_cookies()
        await desk.sign_in(served, await identity.login_of(who), identity.PASSWORD)
        await page.wait_for_url("**/staff/registrations")
        await page.goto(f"{served}/staff/inbox/settings")
        shown = "这台电脑正在接收通知" if who == account else "在这台电脑上接收通知"
        await expect(page.get_by_text(shown)).to_be_visible()
    assert (await browsers_of(account), await browsers_of(other)) == (1, 0)


async def test_a_push_service_that_is_away_is_said_in_words(desk: Window, served: str) -> None:
    page = desk.page
    await desk.context.grant_permissions(["notifications"], origin=served)
    await page.add_init_script("PushManager.prototype.subscribe = async () => { throw new Error('away'); };")
    await page.goto(f"{served}/staff/inbox/settings")
    await page.get_by_role("button", name="在这台电脑上接收通知").click()
    await expect(page.get_by_text("浏览器的推送服务没有响应")).to_be_visible()
    await expect(page.get_by_role("button", name="在这台电脑上接收通知")).to_be_visible()


async def test_notifications_that_were_forbidden_are_not_asked_for(desk: Window, served: str) -> None:
    await desk.page.add_init_script(
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' });"
    )
    await desk.page.goto(f"{served}/staff/inbox/settings")
    await expect(desk.page.get_by_text("浏览器已禁止本站的通知")).to_be_visible()
    await expect(desk.page.get_by_role("button", name="在这台电脑上接收通知")).to_be_hidden()


# A worker that is only being activated misses what is pushed.
ACTIVATED = """navigator.serviceWorker.ready.then(({ active }) => new Promise((done) => {
    const look = () => active.state === "activated" && done(true);
    active.addEventListener("statechange", look);
    look();
}))"""


async def pushed(page: Page, served: str, data: str) -> list[dict[str, object]]:
    """What the browser shows after a push message."""
    await page.evaluate("navigator.serviceWorker.register('/service-worker.js')")
    await page.evaluate(ACTIVATED)
    session = await page.context.new_cdp_session(page)
    registrations: asyncio.Queue[str] = asyncio.Queue()

    def known(event: dict[str, list[dict[str, str]]]) -> None:
        for each in event["registrations"]:
            registrations.put_nowait(each["registrationId"])

    session.on("ServiceWorker.workerRegistrationUpdated", known)
    await session.send("ServiceWorker.enable")
    given = {"origin": served, "registrationId": await asyncio.wait_for(registrations.get(), 5), "data": data}
    look = """navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((shown) =>
        shown.map((each) => ({ title: each.title, body: each.body, tag: each.tag, link: each.data.link })))"""
    # The browser drops a message, and says nothing, until it has stored the registration.
    for _ in range(30):
        await session.send("ServiceWorker.deliverPushMessage", given)
        for _ in range(20):
            if shown := await page.evaluate(look):
                return list(shown)
            await asyncio.sleep(0.1)
    return []


TOLD = {"title": "有新的住户登记待审核", "body": "3-1-101", "tag": "n1", "link": "/staff/registrations"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (json.dumps({**TOLD, "kind": "registration.submitted"}), TOLD),
        (json.dumps({**TOLD, "link": "https://evil.test/"}), {**TOLD, "link": "/staff/inbox"}),
        (json.dumps({**TOLD, "link": "//evil.test/"}), {**TOLD, "link": "/staff/inbox"}),
        ("not json", {"title": "邻里", "body": "", "tag": "", "link": "/staff/inbox"}),
        ("null", {"title": "邻里", "body": "", "tag": "", "link": "/staff/inbox"}),
    ],
)  # fmt: skip
async def test_a_push_message_is_shown_with_where_it_leads(
    desk: Window, served: str, data: str, expected: dict[str, str]
) -> None:
    await desk.context.grant_permissions(["notifications"], origin=served)
    assert await pushed(desk.page, served, data) == [expected]
