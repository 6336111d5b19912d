"""A real browser (浏览器) whose complaints count: a console error or a violated policy is a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # has no types
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

from api.settings import REPOSITORY

ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=zh-CN",
)  # fmt: skip
HOME = REPOSITORY / ".linli" / "cache" / "chromium"
PHONE = (390, 844)
NARROW = (360, 740)
DESK = (1440, 900)
# Every size, both grounds and both languages, the longer words on the smaller screen.
LOOKS = pytest.mark.parametrize(
    ("size", "dark", "locale"), [(NARROW, True, "en-GB"), (DESK, False, "zh-CN")], ids=["phone", "desk"]
)
AXE = """async options => (await axe.run(options)).violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`)"""
# Of staff pages contrast is judged by contrast.js, in less time.
WITHOUT_CONTRAST = {"rules": {"color-contrast": {"enabled": False}}}


def chromium(*, whole: bool = False) -> str | None:
    """Where Chromium is; None where there is none. Under CI it has to be there.

    Its headless shell, where that is installed, does the same for half the work; `whole` is for what it cannot do.
    """
    shell = None if whole else shutil.which("chromium-headless-shell")
    found = shell or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.environ.get("CI") == "true":
        raise RuntimeError("Chromium is missing: apt-get install chromium fonts-noto-cjk")
    return found


def installed(*, whole: bool = False) -> str:
    """The same; without it the test is skipped."""
    path = chromium(whole=whole)
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium fonts-noto-cjk")
    return path


@asynccontextmanager
async def browser(path: str, *more: str) -> AsyncIterator[Browser]:
    """A browser without a window; `more` are arguments of its own."""
    async with async_playwright() as playwright:
        # Chromium keeps crash reports and caches in the home directory, whatever its profile is.
        HOME.mkdir(parents=True, exist_ok=True)
        home = {name: str(HOME) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        started = await playwright.chromium.launch(
            executable_path=path, args=[*ARGUMENTS, *more], env={**os.environ, **home}
        )
        try:
            yield started
        finally:
            await started.close()


@dataclass
class Window:
    """A window of its own cookies; `complaints` is what the browser found wrong."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    provoked: list[str] = field(default_factory=list)
    """Parts of complaints that the test itself brings about."""
    is_examined: bool = False
    """Whether axe-core is there on every page."""

    def watch(self) -> None:
        """Keep what the browser complains of."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        # What a page still loads is aborted when one goes on to the next.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.failure}: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location}")

    async def examine(self) -> None:
        """Have axe-core on every page from now on."""
        await self.context.add_init_script(AXE_SCRIPT)
        self.is_examined = True

    async def barriers(self) -> list[str]:
        """What keeps somebody out who cannot see or point (WCAG 2.2, by axe-core); nothing where it is not there."""
        found: list[str] = await self.page.evaluate(AXE, WITHOUT_CONTRAST) if self.is_examined else []
        return found

    async def sign_in(self, url: str, login: str, password: str) -> None:
        """Through the form, as a person does."""
        await self.page.goto(f"{url}/staff/sign-in")
        await self.page.fill("#login", login)
        await self.page.fill("#password", password)
        await self.page.click("button[type=submit]")


@asynccontextmanager
async def window(
    started: Browser, size: tuple[int, int] = DESK, *, dark: bool = False, locale: str = "zh-CN",
    examined: bool = False,
) -> AsyncIterator[Window]:  # fmt: skip
    """A window of that size, with axe-core where it is `examined`; complaints fail whoever opened it."""
    context = await started.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale=locale,
    )
    opened = Window(context, await context.new_page())
    opened.watch()
    if examined:
        await opened.examine()
    try:
        yield opened
    finally:
        await context.close()
    found = [said for said in opened.complaints if not any(part in said for part in opened.provoked)]
    assert not found, found
