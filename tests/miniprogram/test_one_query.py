"""Every screen asks the server once: what it shows comes by one query, whatever it is made of."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest
from graphql import OperationDefinitionNode, OperationType, parse
from playwright.async_api import Browser, Page, Request, expect

from schema.relay import encode
from tests.factories import residents
from tests.miniprogram.node import CLIENT
from tests.miniprogram.phone import phone

pytestmark = pytest.mark.usefixtures("instance")
NOTHING = UUID(int=0)
PAGES = [
    page["path"].split("/")[1]
    for page in json.loads((CLIENT / "src" / "pages.json").read_text(encoding="utf-8"))["pages"]
]
GIVEN = {
    "visit": f"visit?pass={encode('VisitorPass', NOTHING)}",
    "bill": f"bill?id={encode('Bill', NOTHING)}",
    "payment": f"payment?id={encode('Payment', NOTHING)}",
    "code": f"code?house={encode('House', NOTHING)}",
    "meter": f"meter?id={encode('Meter', NOTHING)}",
}
"""What a screen is opened with that is about one thing."""
SILENT = {"register"}
"""Screens that ask once something was typed."""


def _is_query(text: str) -> bool:
    operations = [each for each in parse(text).definitions if isinstance(each, OperationDefinitionNode)]
    return operations[0].operation is OperationType.QUERY


QUERIES = {
    digest
    for digest, text in json.loads((CLIENT / "documents.json").read_text(encoding="utf-8")).items()
    if _is_query(text)
}


def _asked(page: Page) -> list[str]:
    """The digests of the queries that it sends from now on."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/graphql"):
            digest = json.loads(request.post_data or "{}").get("documentId", "").removeprefix("sha256:")
            asked.extend([digest] if digest in QUERIES else [])

    page.on("request", note)
    return asked


async def test_every_screen_asks_once(served: str, opened: Browser) -> None:
    scene = await residents.scene()
    async with phone(opened, served, scene.owner.account_id) as each:
        asked = _asked(each.page)
        screens = [page for page in PAGES if page != "sign-in"]
        for number, page in enumerate(screens, 1):
            await each.open(GIVEN.get(page, page))
            await expect(each.page.locator(f"uni-page[data-page$='/{page}/index']")).to_be_visible()
            async with asyncio.timeout(30):
                while len(asked) < number - len(SILENT & set(screens[:number])):
                    await asyncio.sleep(0.02)
            await expect(
                each.page.get_by_role("status", name="正在加载").locator("visible=true")
            ).to_have_count(0)
            # What one asks for a second time, however late, is one too many at the next.
            assert len(asked) == number - len(SILENT & set(screens[:number])), page


async def test_the_sign_in_asks_once_and_shows_no_way_that_there_is_not(served: str, opened: Browser) -> None:
    async with phone(opened, served) as each:
        asked = _asked(each.page)
        await each.open("sign-in")
        await expect(each.page.get_by_label("手机号")).to_be_visible()
        await each.page.wait_for_load_state("networkidle")
        assert len(asked) == 1
        # There are no stand-ins here, and the real platforms have no page that this is told of.
        await expect(each.page.get_by_role("button", name="登录")).to_have_count(1)
