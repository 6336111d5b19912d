"""Accessibility (无障碍) of a screen, contrast too."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # has no types
from playwright.async_api import Page

from tests.browser.driving import AXE


async def serious(page: Page) -> list[str]:
    """What is serious or worse, by the first element that it is about."""
    await page.evaluate(AXE_SCRIPT)
    found: list[str] = await page.evaluate(AXE, {})
    return found
