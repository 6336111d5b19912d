"""Pages for everybody, and the files that pages are made of."""

from __future__ import annotations

import gzip
import re
import secrets
from html import unescape

import httpx
import pytest
from starlette.applications import Starlette

from api.app import build_app
from api.demo.showing import show_demo
from api.instance import Addresses
from api.pages import assets
from api.pages.landing import drawing
from api.pages.showcase import Showcase, showcase
from api.pages.texts import labels
from api.settings import Settings
from domains.access import sealed
from tests.api.pages.visitors import Visitor, seen, visiting
from tests.browser import qr
from tests.factories import access, residents, showing
from tests.factories.showing import DEMO

pytestmark = pytest.mark.usefixtures("instance")
DRAWN = re.compile(
    r'<svg class="qr" viewBox="0 0 (\d+) \d+" [^>]*aria-label="([^"]*)".*?<path d="([^"]*)"', re.DOTALL
)
HREF = re.compile(r'href="([^"#]*)"')


def codes(text: str) -> dict[str, str]:
    """What the codes of a page say, by their label."""
    return {label: qr.decode(qr.matrix_of(path, int(side))) for side, label, path in DRAWN.findall(text)}


async def landing(app: Starlette, demo: Showcase | None, **headers: str) -> httpx.Response:
    """The page, over what is shown."""
    with showing.shown(demo):
        async with visiting(app) as visitor:
            return await visitor.get("/", **headers)


async def test_the_landing_page_says_what_there_is(app: Starlette, settings: Settings) -> None:
    shown = await landing(app, None)
    assert shown.status_code == 200
    for path in ("/app/", "/staff", "/staff/guard", "/graphql", "/ready", "/metrics"):
        assert f'href="{path}"' in shown.text
    for face in ("居民", "访客", "保安", "物业"):
        assert f"<h3>{face}</h3>" in shown.text
    assert not re.search("演示账号|两分钟|登记码|make demo|您会看到", shown.text)
    assert 'href="/v' not in shown.text
    assert sorted(codes(shown.text).values()) == sorted(
        f"{settings.url}{path}" for path in ("/app/", "/staff/guard", "/staff")
    )


async def test_a_demonstration_shows_its_accounts_and_a_walk(app: Starlette) -> None:
    shown = await landing(app, DEMO)
    text = seen(shown)
    for expected in (
        "桂语里",
        "GYL",
        "manager",
        "Pass-2026",
        "19900001001",
        "经理 <许>",
        "短信验证码",
        "3幢1单元1201",
        "南门",
    ):
        assert expected in text
    for path in ("sms", "phone"):
        assert f'href="{showing.PLATFORM}/{path}"' in shown.text
    for path in ("/v/a-visitors-secret", "/visit/GYL", "/join/GYL", "/staff/guard", "/app/"):
        assert f'href="{path}"' in shown.text
    assert shown.text.count('<li class="step">') == 8
    assert 'href="/staff/sign-in?as=cashier&amp;next=%2Fstaff%2Fpayments"' in shown.text
    for path in ("invite", "bills"):
        assert f'href="/app/#/pages/{path}/index"' in shown.text


async def test_every_code_leads_to_its_address(app: Starlette, settings: Settings) -> None:
    said = codes((await landing(app, DEMO)).text)
    assert {label.partition("的")[0].strip(): text.removeprefix(settings.url) for label, text in said.items()} == {
        "居民": "/app/", "访客": "/v/a-visitors-secret", "保安": "/staff/guard", "物业": "/staff", "桂语里": "/join/GYL",
    }  # fmt: skip


async def test_every_link_of_it_opens_a_page(app: Starlette) -> None:
    scene, secret = await residents.scene(), secrets.token_urlsafe(16)
    await access.visitor_pass(
        scene.compound_id, scene.house_id, scene.owner.account_id, **sealed.link_columns(secret)
    )
    shown = await landing(app, showing.demo(code=scene.code, visitor_path=f"/v/{secret}"))
    links = {unescape(link) for link in HREF.findall(shown.text)}
    ours = {link for link in links if link.startswith("/")}
    assert len(ours) > 18 and {link for link in links - ours if link} == {
        f"{showing.PLATFORM}/{path}" for path in ("sms", "phone")
    }
    async with visiting(app) as visitor:
        for link in sorted(ours):
            answer = await visitor.http.get(link, headers={"accept": "text/html"}, follow_redirects=True)
            assert answer.status_code == 200, link


async def test_who_is_not_there_is_not_in_the_walk(app: Starlette) -> None:
    """Without the stand-ins of the platforms nobody can sign in as a resident, and there is nothing to pay at."""
    text = seen(await landing(app, showing.demo(platform_url="", visitor_path="")))
    assert "两分钟" not in text and "演示账号" in text and "手机上的消息" not in text


@pytest.mark.parametrize(("public_url", "is_said"), [("", True), ("https://linli.test", False)])
async def test_how_a_phone_reaches_it_is_said_where_it_cannot(
    settings: Settings, public_url: str, is_said: bool
) -> None:
    reached = settings.model_copy(update={"public_url": public_url, "port": 8123})
    shown = await landing(build_app(reached), DEMO)
    words = "LINLI_HOST=0.0.0.0 LINLI_PUBLIC_URL=http://192.168.1.20:8123 PORT=8123 make demo"
    assert (words in shown.text) is is_said
    assert all(text.startswith(reached.url) for text in codes(shown.text).values())


async def test_it_is_english_on_request_and_small(app: Starlette) -> None:
    shown = await landing(app, DEMO, **{"accept-language": "en-GB,en;q=0.9"})
    text = seen(shown)
    assert "Two minutes, from a guest to a receipt" in text and "Residents" in text
    # Names, house numbers and what stands on the stand-ins' own pages stay what they are.
    assert not re.search("您会看到|打开|账号|业主", text)
    assert len(gzip.compress(shown.content)) < 20_000


def test_every_part_and_what_it_is_for_have_labels() -> None:
    wanted = {f"demo:{part}" for part in showing.PARTS} | {f"demo-use:{part}" for part in showing.PARTS}
    assert wanted - set(labels()) == {"demo-use:visitor"}
    show_demo(Addresses("", "", "", ""), "")
    shown = showcase()
    assert shown and set(shown.cast) | {"visitor"} == set(showing.PARTS) and shown.house


async def test_a_code_leads_to_how_to_register_and_tells_nothing_else(visitor: Visitor) -> None:
    known, unknown = await visitor.get("/join/gyl"), await visitor.get("/join/ZZZZ99")
    assert "GYL" in seen(known) and "打开微信或支付宝" in seen(known)
    assert 'href="/app/#/pages/register/index?code=GYL"' in known.text
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
