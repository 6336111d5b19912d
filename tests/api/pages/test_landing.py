"""Pages for everybody, and the files that pages are made of."""

from __future__ import annotations

import gzip
import re

import pytest
from starlette.applications import Starlette

from api.pages import assets
from api.pages.landing import drawing
from api.pages.showcase import DemoAccount, Showcase, showcase
from tests.api.pages.visitors import Visitor, seen, visiting

pytestmark = pytest.mark.usefixtures("instance")
DEMO = Showcase(
    "桂语里", "GYL", (DemoAccount("经理 <许>", "manager", "Pass-2026"), DemoAccount("业主", "19900001001")),
    "http://127.0.0.1:9", "/v/a-visitors-secret",
)  # fmt: skip


async def test_the_landing_page_says_what_there_is(visitor: Visitor) -> None:
    shown = await visitor.get("/")
    assert shown.status_code == 200
    for path in ("/staff", "/graphql", "/ready", "/metrics"):
        assert f'href="{path}"' in shown.text
    assert "演示账号" not in shown.text
    assert 'href="/v' not in shown.text


async def test_a_demonstration_shows_its_accounts(app: Starlette) -> None:
    token = showcase.fill(DEMO)
    try:
        async with visiting(app) as visitor:
            shown = await visitor.get("/")
    finally:
        token.var.reset(token)
    text = seen(shown)
    for expected in ("桂语里", "GYL", "manager", "Pass-2026", "19900001001", "经理 <许>", "短信验证码"):
        assert expected in text
    assert "/join/GYL" in shown.text
    for path in ("sms", "phone"):
        assert f'href="http://127.0.0.1:9/{path}"' in shown.text
    for path in ("/v/a-visitors-secret", "/visit/GYL", "/staff/guard"):
        assert f'href="{path}"' in shown.text


async def test_a_code_leads_to_how_to_register_and_tells_nothing_else(visitor: Visitor) -> None:
    known, unknown = await visitor.get("/join/gyl"), await visitor.get("/join/ZZZZ99")
    assert "GYL" in seen(known) and "打开微信或支付宝" in seen(known)
    assert known.status_code == unknown.status_code == 200


@pytest.mark.parametrize("code", ["%3Cscript%3E", "a b", "x" * 13, "-"])
async def test_what_cannot_be_a_code_is_not_found(visitor: Visitor, code: str) -> None:
    assert (await visitor.get(f"/join/{code}")).status_code == 404


def test_a_qr_code_is_drawn_whole() -> None:
    side, path = drawing("https://linli.test/join/GYL")
    assert re.fullmatch(r"(?:M\d+ \d+h1v1h-1z)+", path)
    # The finder pattern of the upper left corner, within the quiet zone of two modules.
    assert side == 29 + 2 * 2 and all(f"M{x} 2h1" in path for x in range(2, 9))


async def test_files_are_kept_for_a_year_under_their_digest(visitor: Visitor) -> None:
    address = assets.address("linli.css")
    file = await visitor.http.get(address)
    assert "immutable" in file.headers["cache-control"]
    assert file.headers["content-type"] == "text/css; charset=utf-8"
    other = await visitor.http.get("/static/linli.css?v=old")
    assert other.headers["cache-control"] == "no-cache"
    again = await visitor.http.get("/static/linli.css", headers={"if-none-match": file.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_files_are_sent_compressed_to_who_understands_it(visitor: Visitor) -> None:
    name = "/static/vendor/tabler/tabler.min.css"
    async with visitor.http.stream("GET", name, headers={"accept-encoding": "gzip"}) as packed:
        raw = b"".join([chunk async for chunk in packed.aiter_raw()])
    assert packed.headers["content-encoding"] == "gzip" and len(raw) < 120_000
    plain = await visitor.http.get(name, headers={"accept-encoding": "identity"})
    assert gzip.decompress(raw) == plain.content


@pytest.mark.parametrize(
    "name",
    [
        "../routes.py",
        "..%2froutes.py",
        "vendor/VENDOR.md",
        "vendor/tabler/LICENSE",
        "",
        "vendor",
        "a%00.css",
        "/etc/passwd",
    ],
)
async def test_nothing_else_is_served(visitor: Visitor, name: str) -> None:
    assert (await visitor.http.get(f"/static/{name}")).status_code == 404
