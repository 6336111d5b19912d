"""The mini-program in a browser (居民端 H5), on a phone a quarter as fast as this machine, behind a mobile network."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from playwright.async_api import BrowserContext, Error, Locator, Page, async_playwright

from api.demo.people import demo_people
from api.settings import REPOSITORY
from domains.kernel import clock
from tests.bench.figures import Figures
from tests.browser.driving import ARGUMENTS, HOME, PHONE, chromium
from tests.journeys.phone import Phone

# Lighthouse's "fast 3G": 1.6 Mbit/s down, 750 kbit/s up, 150 ms there and back.
FAST_3G: Final = {
    "offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8,
}  # fmt: skip
SLOWER: Final = 4
ROUNDS: Final = 5
MOST_HOME_MS, MOST_TAP_MS, MOST_FIRST_BYTES = 1_000, 100, 200 * 1024
TAPS_OF_A_SCREEN: Final = 3
PAGES = REPOSITORY / "miniprogram_stub" / "client" / "src" / "pages.json"
# When each thing is first in sight, and how long each tap was without an answer, counted by the page itself.
WATCH = """
window.seen = {}; window.taps = [];
const marks = { signIn: 'input', home: '.hello-words' };
new MutationObserver(() => {
  for (const [name, mark] of Object.entries(marks)) {
    if (window.seen[name] || !document.querySelector(mark)) continue;
    window.seen[name] = -1;
    requestAnimationFrame(() => setTimeout(() => { window.seen[name] = performance.now(); }));
  }
}).observe(document, { childList: true, subtree: true });
new PerformanceObserver((list) => list.getEntries().forEach(({ name, duration }) => window.taps.push([name, duration])))
  .observe({ type: 'event', durationThreshold: 16 });
"""
TABS: Final = ".uni-tabbar__item"
# What a finger does. A pointer that hovers, which a phone has not, is also told of what appears under it later.
TAP: Final = {"pointerdown", "mousedown", "pointerup", "mouseup", "click"}
CONTROLS = "uni-page-body [role=button]:not([aria-disabled=true]), uni-page-body [role=radio], uni-page-body [role=checkbox]"


@dataclass(frozen=True, slots=True)
class Load:
    """One load: milliseconds from the navigation to what was in sight, and to the server's answer; bytes on the way."""

    seen_ms: float
    answered_ms: float
    packed: int


async def measure(figures: Figures, url: str, platform_url: str) -> None:
    """Loads and taps, with the demo's owner; nothing where there is no Chromium."""
    path = chromium(whole=True)
    if path is None:
        figures.add("not measured: Chromium is not installed", "")
        return
    session = _session(url, platform_url)
    await _loads(figures, path, url, session)
    await _taps(figures, path, url, session)


def _session(url: str, platform_url: str) -> str:
    """What the device keeps of a session of the demo's owner, as its storage has it."""
    phone = Phone(url)
    phone.platform_url = platform_url
    owner = demo_people().owner
    phone.sign_in_with_wechat(owner.name, owner.phone)
    until = (clock.now() + timedelta(minutes=14)).timestamp() * 1_000
    kept = {"accessToken": phone.token, "refreshToken": "none", "owner": "demo", "until": until}
    return json.dumps(json.dumps({"type": "object", "data": kept}))


@asynccontextmanager
async def _phone(path: str, session: str = "") -> AsyncIterator[BrowserContext]:
    """A phone on which nothing is kept, but for a session: a browser with a profile of its own on the disk.

    Without a profile Chromium keeps no compiled scripts, as no phone's browser does without.
    """
    HOME.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        with TemporaryDirectory(dir=HOME, ignore_cleanup_errors=True) as profile:
            context = await playwright.chromium.launch_persistent_context(
                profile, executable_path=path, args=ARGUMENTS, env={**os.environ, "HOME": profile},
                viewport={"width": PHONE[0], "height": PHONE[1]}, locale="zh-CN",
            )  # fmt: skip
            try:
                await context.add_init_script(WATCH)
                if session:
                    await context.add_init_script(f"localStorage.setItem('linli.session', {session})")
                yield context
            finally:
                await context.close()


async def _slowed(context: BrowserContext, *, network: bool = True) -> Page:
    """A page of it, as on a slow phone, and behind a slow network."""
    page = await context.new_page()
    developer = await context.new_cdp_session(page)
    await developer.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    if network:
        await developer.send("Network.enable")
        await developer.send("Network.emulateNetworkConditions", dict(FAST_3G))
    return page


async def _loads(figures: Figures, path: str, url: str, session: str) -> None:
    signing, first, second = list[Load](), list[Load](), list[Load]()
    for _ in range(ROUNDS):
        async with _phone(path) as context:
            signing.append(await _load(await _slowed(context), url, "signIn"))
        async with _phone(path, session) as context:
            page = await _slowed(context)
            first.append(await _load(page, url, "home"))
            await _leave(page)
            second.append(await _load(await _slowed(context), url, "home"))
    packed = max(load.packed for load in first)
    figures.add(
        "bytes of the first load, compressed",
        f"{packed / 1024:.0f} KiB",
        "≤ 200 KiB",
        packed <= MOST_FIRST_BYTES,
    )
    figures.add("first load ever, to the sign-in", _said(signing))
    figures.add("first load ever with a session, to the home screen from the server", _said(first))
    seen = median(load.seen_ms for load in second)
    figures.add(
        "second visit (a new page, its service worker active), to the home screen from what was kept",
        _said(second), "≤ 1 s", seen <= MOST_HOME_MS,
    )  # fmt: skip
    answered = median(load.answered_ms for load in second)
    figures.add("second visit, to the server's answer", f"{answered:.0f} ms")


def _said(loads: list[Load]) -> str:
    times = [load.seen_ms for load in loads]
    return f"{median(times):.0f} ms ({min(times):.0f} to {max(times):.0f})"


async def _leave(page: Page) -> None:
    """As somebody does who read for a while: the service worker has put the program on the device by then."""
    await page.wait_for_function(
        "() => navigator.serviceWorker.controller?.state === 'activated'", polling=100
    )
    await page.close()


async def _load(page: Page, url: str, mark: str) -> Load:
    await page.goto(f"{url}/app/", wait_until="commit")
    await page.wait_for_function("(mark) => window.seen[mark] > 0", arg=mark, polling=50)
    await page.wait_for_load_state("networkidle")
    found: Any = await page.evaluate(
        """(mark) => { const all = performance.getEntriesByType('resource');
        return { seen: window.seen[mark],
          answered: Math.max(0, ...all.filter(({ name }) => name.endsWith('/graphql')).map((each) => each.responseEnd)),
          packed: [...all, ...performance.getEntriesByType('navigation')]
            .reduce((sum, { transferSize }) => sum + transferSize, 0) } }""",
        mark,
    )
    return Load(found["seen"], found["answered"], found["packed"])


async def _taps(figures: Figures, path: str, url: str, session: str) -> None:
    """The first controls of every screen, one after the other for as long as they lead nowhere else, and the tabs."""
    taps = dict[str, list[float]]()
    screens = [page["path"] for page in json.loads(PAGES.read_text(encoding="utf-8"))["pages"]]
    async with _phone(path, session) as context:
        for screen in screens:
            async with _shown(context, f"{url}/app/#/{screen}") as page:
                taps[screen.split("/")[1]] = [took async for took in _taps_of(page)]
        async with _shown(context, f"{url}/app/#/{screens[0]}") as page:
            tabs = await page.locator(TABS).all()
            taps["the tabs"] = [took async for took in _taps_of_tabs(page, [*tabs[1:], tabs[0]])]
    all_taps = [took for each in taps.values() for took in each]
    where = max(taps, key=lambda name: max(taps[name], default=0))
    value = f"{max(all_taps):.0f} ms (on {where}), half of {len(all_taps)} within {median(all_taps):.0f} ms"
    holds = max(all_taps) <= MOST_TAP_MS
    figures.add(
        f"from a tap to what is painted next, {len(screens)} screens", value, f"≤ {MOST_TAP_MS} ms", holds
    )


@asynccontextmanager
async def _shown(context: BrowserContext, address: str) -> AsyncIterator[Page]:
    """A screen in a page of its own: a tap may lead out of the program, and is still on its way when the next begins."""
    page = await _slowed(context, network=False)
    await page.goto(address)
    await page.wait_for_load_state("networkidle")
    yield page
    await page.close()


async def _taps_of(page: Page) -> AsyncIterator[float]:
    """Milliseconds until the screen answered each tap."""
    here = page.url
    for number in range(TAPS_OF_A_SCREEN):
        controls = page.locator(CONTROLS).locator("visible=true")
        if page.url != here or await page.get_by_role("dialog").count() or await controls.count() <= number:
            return
        took = await _answer(page, controls.nth(number))
        if took is None:
            return
        yield took


async def _taps_of_tabs(page: Page, tabs: list[Locator]) -> AsyncIterator[float]:
    """The same for each tab, once the screen of the one before is there: a finger is not faster."""
    for tab in tabs:
        took = await _answer(page, tab)
        if took is not None:
            yield took
        await page.wait_for_load_state("networkidle")


async def _answer(page: Page, control: Locator) -> float | None:
    """Milliseconds from the tap to what was painted next; None where it led out of the program."""
    await page.evaluate("() => { window.taps.length = 0 }")
    await control.click()
    try:
        # Two frames and a turn later the browser has told of everything that the tap set off.
        await page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"
        )
        told: list[tuple[str, float]] = await page.evaluate("window.taps")
    except Error:
        return None
    # What took less than sixteen milliseconds is not told of.
    return max((took for name, took in told if name in TAP), default=16.0)
