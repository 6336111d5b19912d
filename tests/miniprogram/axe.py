"""Accessibility (无障碍) by axe-core, of the version that the client's lock names."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest
from playwright.async_api import Page

from tests.miniprogram import node

RUN = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"


@cache
def _source() -> str:
    if os.environ.get("CI") == "true":
        node.install()
    path = node.CLIENT / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        pytest.skip("`make client` installs axe-core")
    return path.read_text(encoding="utf-8")


async def serious(page: Page) -> list[str]:
    """What is serious or worse, with the elements it is about."""
    await page.evaluate(_source())
    found: list[dict[str, Any]] = await page.evaluate(RUN)  # Any: JSON
    return [
        f"{each['id']}: {each['help']} {[part['html'][:160] for part in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
