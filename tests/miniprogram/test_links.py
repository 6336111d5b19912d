"""Where messages lead (消息跳转): to a page that this version has, on the phone and at the desk."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect
from starlette.applications import Starlette
from starlette.routing import Match

from api.app import build_app
from api.settings import Settings
from api.wiring import KINDS
from domains.access.notices import REQUESTED
from domains.billing.payment_notices import TOPPED_UP
from domains.kernel import database
from notifications.kinds import Kind
from notifications.notifying import notify
from schema.relay import encode
from tests.factories import residents, visits
from tests.miniprogram.node import CLIENT
from tests.miniprogram.phone import phone

pytestmark = pytest.mark.usefixtures("instance")
PAGES = {f"/{page['path']}" for page in json.loads((CLIENT / "src" / "pages.json").read_text())["pages"]}


@pytest.fixture(scope="module")
def app(settings: Settings) -> Starlette:
    return build_app(settings)


def is_there(app: Starlette, path: str) -> bool:
    """Whether something answers there."""
    scope = {"type": "http", "path": path, "root_path": "", "method": "GET", "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.link], ids=lambda kind: kind.name)
def test_a_message_leads_to_a_page_that_there_is(app: Starlette, kind: Kind) -> None:
    path = kind.link.partition("?")[0]
    assert path in PAGES or (path.startswith("/staff/") and is_there(app, path)), kind.link


@pytest.mark.parametrize(
    ("kind", "fields", "shown"),
    [
        (REQUESTED, {"name": "王来访", "purpose": "做客"}, "王来访 请求进入"),
        (TOPPED_UP, {"fen": 12_345}, "预存余额"),
    ],
    ids=lambda given: given.name if isinstance(given, Kind) else None,
)
async def test_a_tap_on_a_message_leads_there(
    served: str, opened: Browser, kind: Kind, fields: dict[str, str | int], shown: str
) -> None:
    scene = await residents.scene()
    await visits.ask_for_pass(scene)
    told = {**fields, "compound": "桂语里", "house": "1号楼1单元101"}
    async with database.transaction():
        await notify(
            [scene.owner.account_id], kind, {name: told[name] for name in kind.fields},
            dedupe_key=str(uuid4()), compound_id=scene.compound_id,
        )  # fmt: skip
    async with phone(opened, served, scene.owner.account_id) as each:
        await each.open("inbox")
        await each.page.locator("uni-view.card").first.click()
        await expect(each.page.get_by_text(shown).locator("visible=true")).to_be_visible()


async def test_a_link_to_a_visit_waits_for_the_sign_in(served: str, opened: Browser) -> None:
    scene = await residents.scene()
    waiting = await visits.ask_for_pass(scene)
    async with phone(opened, served) as each:
        await each.open(f"visit?pass={encode('VisitorPass', waiting)}")
        await expect(each.page.get_by_label("手机号")).to_be_visible()
        assert "next=" in each.page.url and "pages%2Fvisit" in each.page.url.replace("%25", "%")
