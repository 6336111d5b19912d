"""Codes on the phone's screen (二维码), read as a gate's reader does: from the picture alone."""

from __future__ import annotations

import re
from functools import cache

from playwright.async_api import Page, expect

from api.settings import REPOSITORY

READER = REPOSITORY / "api" / "pages" / "static" / "vendor" / "jsqr" / "jsQR.js"
SHOWN = re.compile("^data:image/png")
READ = """async () => {
    const picture = document.querySelector('.qr-picture img')
    await picture.decode()
    const canvas = document.createElement('canvas')
    canvas.width = picture.naturalWidth
    canvas.height = picture.naturalHeight
    const drawing = canvas.getContext('2d')
    drawing.drawImage(picture, 0, 0)
    const { data, width, height } = drawing.getImageData(0, 0, canvas.width, canvas.height)
    return jsQR(data, width, height)?.data ?? ''
}"""


@cache
def _source() -> str:
    return READER.read_text(encoding="utf-8")


async def read(page: Page) -> str:
    """The text of the code that is shown; empty where it cannot be read."""
    await expect(page.locator(".qr-picture img")).to_have_attribute("src", SHOWN)
    await page.evaluate(_source())
    text: str = await page.evaluate(READ)
    return text
