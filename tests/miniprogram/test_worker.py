"""The program on the device (离线打开): opened without a network, one release at a time, and nothing in it of anybody's."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from api.pages import client
from api.pages.assets import Shelf
from domains.kernel import clock
from schema.relay import encode
from tests.factories import bills, residents, visits
from tests.factories.residents import Scene
from tests.miniprogram.phone import Phone, phone
from tests.miniprogram.test_visitors import of

pytestmark = pytest.mark.usefixtures("instance")
KEPT = """async () => Object.fromEntries(await Promise.all((await caches.keys()).map(
  async (name) => [name, (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)])))"""
WORKERS = "async () => (await navigator.serviceWorker.getRegistrations()).length"
RENEW = "async () => { await (await navigator.serviceWorker.ready).update() }"
SETTLED = """async () => { const it = await navigator.serviceWorker.ready;
  return !it.installing && !it.waiting && it.active.state === 'activated' }"""
GIVEN_UP = """async () => { const { installing } = await navigator.serviceWorker.register('./sw.js');
  if (installing) await new Promise((done) => installing.addEventListener('statechange', done)) }"""
WORKER = "sw.js"
OWN = "linli-app-"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def each(served: str, opened: Browser, scene: Scene) -> AsyncIterator[Phone]:
    """The owner's phone."""
    async with phone(opened, served, scene.owner.account_id) as held:
        yield held


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Another release is handed out from now on; its worker knows another page where it is not whole."""

    def hand_out(name: str, *, is_whole: bool = True, has_worker: bool = True) -> None:
        folder = tmp_path / name
        shutil.copytree(client.SHELF.root, folder)
        page = folder / "index.html"
        page.write_text(re.sub(r"<head.*?>", f'<head data-release="{name}">', page.read_text(), count=1))
        digest = hashlib.sha256(page.read_bytes() if is_whole else b"another").hexdigest()
        text = re.sub(r'RELEASE = "\w+"', f'RELEASE = "{name}"', (folder / WORKER).read_text())
        (folder / WORKER).write_text(re.sub(r'PAGE = "\w+"', f'PAGE = "{digest}"', text))
        if not has_worker:
            (folder / WORKER).unlink()
        monkeypatch.setattr(client, "SHELF", Shelf(folder, client.SHELF.content_types))

    return hand_out


async def kept(page: Page) -> dict[str, list[str]]:
    """The addresses that the browser keeps, by release."""
    found: dict[str, list[str]] = await page.evaluate(KEPT)
    return {name.removeprefix(OWN): sorted(paths) for name, paths in found.items()}


async def eventually(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(20):
        while not await true():
            await asyncio.sleep(0.05)


async def installed(page: Page) -> None:
    """Wait until the worker has all that it keeps."""

    async def is_settled() -> bool:
        return bool(await page.evaluate(SETTLED))

    await page.evaluate("navigator.serviceWorker.ready")
    await eventually(is_settled)


async def opened_anew(each: Phone, path: str = "home") -> Page:
    """The app once more, in a window of its own, as when it was closed in between."""
    await each.page.close()
    each.window.page = await each.window.context.new_page()
    each.window.watch()
    await each.open(path)
    return each.page


async def test_passes_and_bills_are_there_without_a_network(each: Phone, scene: Scene) -> None:
    made = await visits.create(await visits.owner(scene), scene.house_id)
    item = await bills.item(scene.compound_id)
    due_on = clock.today() + timedelta(days=7)
    bill = await bills.bill(scene.house_id, {item: 25_068}, month=date(2025, 11, 1), due_on=due_on)
    shown = {
        "home": "张建国",
        "visitors": "王来访",
        of(made): "王来访",
        "bills": "¥250.68",
        f"bill?id={encode('Bill', bill)}": "¥250.68",
    }
    for path, words in shown.items():
        await each.open(path)
        await expect(each.page.get_by_text(words).locator("visible=true").first).to_be_visible()
    await installed(each.page)
    await each.leave_network()
    for path, words in shown.items():
        page = await opened_anew(each, path)
        await expect(page.get_by_text(words).locator("visible=true").first).to_be_visible()
        await expect(page.get_by_text("暂时连不上").locator("visible=true")).to_be_visible()


async def test_nothing_is_kept_that_is_anybodys(each: Phone) -> None:
    await each.open("account")
    await installed(each.page)
    # What is asked for while the worker is there goes past it.
    await each.open("bills")
    await expect(each.page.get_by_text("没有待缴的账单")).to_be_visible()
    files = [path.relative_to(client.SHELF.root).as_posix() for path in client.SHELF.root.rglob("*.*")]
    packed = {f"/app/{name}" for name in files if not name.endswith((".br", WORKER, "index.html"))}
    [paths] = (await kept(each.page)).values()
    assert set(paths) == packed | {"/app/"}
    await each.open("account")
    await each.page.get_by_role("button", name="退出登录").click()
    await each.page.get_by_role("dialog").get_by_role("button", name="退出登录").click()
    await expect(each.page.get_by_label("手机号")).to_be_visible()
    assert list((await kept(each.page)).values()) == [paths]
    assert not [name for name in await each.page.evaluate("Object.keys(localStorage)") if "kept" in name]


async def test_a_new_release_comes_with_the_next_opening(each: Phone, release: Callable[..., None]) -> None:
    release("first")
    await each.open()
    await installed(each.page)
    for name, before, all_kept in (
        ("second", "first", ["first", "second"]),
        ("third", "second", ["first", "second", "third"]),
        ("fourth", "third", ["second", "third", "fourth"]),
    ):
        release(name)
        page = await opened_anew(each)
        await expect(page.locator(f"head[data-release={before}]")).to_have_count(1)
        await page.evaluate(RENEW)
        await installed(page)
        assert list(await kept(page)) == all_kept
        # The window goes on with what it began with, whose other pages it finds.
        await page.get_by_role("tab", name="访客").click()
        await expect(page.get_by_role("button", name="邀请访客")).to_be_visible()
        await expect(page.locator(f"head[data-release={before}]")).to_have_count(1)


async def test_a_release_that_is_not_whole_changes_nothing(each: Phone, release: Callable[..., None]) -> None:
    release("first")
    await each.open()
    await installed(each.page)
    release("second", is_whole=False)
    await each.page.evaluate(RENEW)
    await installed(each.page)
    assert list(await kept(each.page)) == ["first"]
    page = await opened_anew(each)
    await expect(page.get_by_text("我的房屋")).to_be_visible()
    await expect(page.locator("head[data-release=first]")).to_have_count(1)


async def test_what_cannot_be_kept_is_in_nobodys_way(each: Phone, release: Callable[..., None]) -> None:
    release("first", is_whole=False)
    await each.open()
    await each.page.evaluate(GIVEN_UP)
    assert await kept(each.page) == {}
    page = await opened_anew(each)
    await expect(page.get_by_text("我的房屋")).to_be_visible()


async def test_a_release_without_a_worker_takes_it_away(each: Phone, release: Callable[..., None]) -> None:
    each.window.provoked.append("404")
    await each.open()
    await installed(each.page)
    release("without", has_worker=False)
    page = await opened_anew(each)
    await eventually(lambda: _has_no_worker(page))
    assert await kept(page) == {}


async def _has_no_worker(page: Page) -> bool:
    return await page.evaluate(WORKERS) == 0 and await kept(page) == {}
