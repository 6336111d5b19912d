"""What keeps the pages safe: form tokens, local redirects, policies, escaping, limits, error pages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest
from starlette.applications import Starlette

from api.pages.page import local
from api.pages.routes import VIEWS
from api.wiring import PERMISSIONS
from domains.identity.models import Account
from domains.kernel import database
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import identity

pytestmark = pytest.mark.usefixtures("instance")
CHANGES = sorted({path for path, method, _ in VIEWS if method == "POST"})
STAFF_PAGES = sorted({path for path, method, view in VIEWS if method == "GET" and not view.for_all})


@pytest.fixture(scope="module")
async def manager(app: Starlette) -> AsyncIterator[Visitor]:
    """Somebody who may do everything, signed in."""
    account = await identity.staff(await identity.places(), tuple(PERMISSIONS))
    async with visiting(app) as opened:
        await opened.sign_in(await identity.login_of(account))
        yield opened


async def everything() -> tuple[object, ...]:
    """Equal before and after something that was refused."""
    row = await database.fetchrow(
        "SELECT (SELECT count(*) FROM session WHERE ended_at IS NULL), (SELECT count(*) FROM register_import), "
        "(SELECT count(*) FROM audit_entry), (SELECT md5(string_agg(password_hash, '')) FROM staff_member)"
    )
    assert row is not None
    return tuple(row.values())


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("token", ["", "guessed-token-guessed-token-1234"])
async def test_a_form_without_its_token_changes_nothing(manager: Visitor, path: str, token: str) -> None:
    before = await everything()
    refused = await manager.post(path, {"login": "x", "password": "x"}, token=token)
    assert refused.status_code == 403
    assert "页面已过期" in seen(refused)
    part = await manager.post(path, {}, token=token, **HTMX)
    assert (part.status_code, part.headers["hx-retarget"]) == (200, "#notices")
    assert await everything() == before


@pytest.mark.parametrize("path", CHANGES)
async def test_a_form_from_another_site_changes_nothing(manager: Visitor, path: str) -> None:
    before = await everything()
    for site in ("cross-site", "same-site"):
        assert (await manager.post(path, {}, **{"sec-fetch-site": site})).status_code == 403
    assert await everything() == before


async def test_the_token_of_another_browser_is_not_taken(app: Starlette, manager: Visitor) -> None:
    async with visiting(app) as other:
        await other.get("/staff/sign-in")
        refused = await manager.post("/staff/sign-out", {}, token=other.token)
    assert refused.status_code == 403


async def test_htmx_sends_the_token_as_a_header(manager: Visitor) -> None:
    await manager.get("/staff/search")
    headers = {**HTMX, "x-form-token": manager.token}
    assert (await manager.post("/staff/search", {"q": ""}, token="", **headers)).status_code == 200


@pytest.mark.parametrize("path", STAFF_PAGES)
async def test_a_stranger_is_asked_to_sign_in_and_comes_back(visitor: Visitor, path: str) -> None:
    sent = await visitor.get(path)
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/staff/sign-in")
    assert local(path) == path


async def test_a_residents_token_opens_no_staff_page(visitor: Visitor) -> None:
    account = await identity.resident(identity.new_phone())
    visitor.http.cookies.set("linli-access", await identity.token(account))
    refused = await visitor.get("/staff/registrations")
    assert refused.status_code == 403 and "没有权限" in seen(refused)


async def test_without_a_permission_a_page_is_refused_and_not_offered(visitor: Visitor) -> None:
    account = await identity.staff(await identity.places(), ("estate.read",))
    await visitor.sign_in(await identity.login_of(account))
    shown = await visitor.get("/staff/search")
    assert shown.status_code == 200
    assert 'href="/staff/audit"' not in shown.text and 'href="/staff/registrations"' not in shown.text
    for path in ("/staff/registrations", "/staff/audit"):
        refused = await visitor.get(path)
        assert refused.status_code == 403 and "没有权限" in seen(refused)


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test", "https://evil.test", "/\\evil.test", "/staff//evil.test", "/staff@evil.test", "/staff/../x",
        "javascript:alert(1)", "/staffx", "/", "/staff\r\nX: y", "/staff?next=//evil.test#", "/graphql", "", None,
        "/staff\n",
    ],
)  # fmt: skip
def test_nothing_leads_off_the_staff_pages(target: str | None) -> None:
    assert local(target) == "/staff"


@pytest.mark.parametrize("target", ["/staff/audit?since=2026-01-01&about=", "/staff/import", "/staff"])
def test_staff_pages_are_returned_to(target: str) -> None:
    assert local(target) == target


async def test_sign_in_does_not_redirect_off_site(app: Starlette) -> None:
    account = await identity.staff(await identity.places(), ("estate.read",))
    login = await identity.login_of(account)
    for target, expected in (("//evil.test/x", "/staff"), ("/staff/search", "/staff/search")):
        async with visiting(app) as visitor:
            done = await visitor.sign_in(login, next=target)
            assert done.headers["location"] == expected


class Inline(HTMLParser):
    """Finds what a strict policy would stop."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Scripts and styles in the page, handlers in attributes, addresses elsewhere."""
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(tag)
        self.found += [name for name in given if name == "style" or name.startswith(("on", "hx-on"))]
        for name in ("src", "href", "action", "hx-get", "hx-post"):
            if (given.get(name) or "").startswith(("http", "//", "javascript:")):
                self.foreign.append(str(given[name]))


@pytest.mark.parametrize(
    "path", ["/", "/join/ABCD", "/staff/password", "/staff/registrations", "/staff/search", "/staff/import", "/staff/audit",
     "/staff/inbox", "/staff/inbox/settings", "/staff/deliveries", "/staff/webhooks"],
)  # fmt: skip
async def test_pages_need_nothing_that_the_policy_forbids(manager: Visitor, path: str) -> None:
    shown = await manager.get(path)
    assert shown.status_code == 200
    policy = shown.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["referrer-policy"] == "same-origin"
    assert "no-store" in shown.headers["cache-control"]
    assert '<html lang="zh-CN">' in shown.text
    parser = Inline()
    parser.feed(shown.text)
    assert (parser.found, parser.foreign) == ([], [])


async def test_the_api_is_given_a_policy_of_its_own(visitor: Visitor) -> None:
    answer = await visitor.http.get("/health")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    ide = await visitor.get("/graphql")
    assert "script-src 'self'" in ide.headers["content-security-policy"]


async def test_names_with_markup_are_shown_as_they_are(app: Starlette) -> None:
    account = await identity.staff(await identity.places(), ("estate.read",))
    name = "<script>alert(1)</script>\"'&"
    await Account.filter(pk=account).update(name=name)
    async with visiting(app) as visitor:
        await visitor.sign_in(await identity.login_of(account))
        shown = await visitor.get("/staff/search")
    assert "<script>alert" not in shown.text
    assert shown.text.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;") >= 2


async def test_a_message_in_the_cookie_is_text_and_nothing_else(manager: Visitor) -> None:
    manager.http.cookies.set("linli-flash", "danger:%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    shown = await manager.get("/staff/search")
    assert "<img src=x" not in shown.text and "&lt;img src=x" in shown.text
    manager.http.cookies.set("linli-flash", "evil tone:x")
    assert (await manager.get("/staff/search")).status_code == 200
    manager.http.cookies.delete("linli-flash")


@pytest.mark.parametrize("path", ["/nowhere", "/staff/nowhere", "/static/../app.py", "/join/" + "x" * 40])
async def test_an_address_that_is_none_gets_a_page(visitor: Visitor, path: str) -> None:
    shown = await visitor.get(path)
    assert shown.status_code == 404
    assert "没有找到" in seen(shown) and "返回首页" in seen(shown)
    assert "default-src 'self'" in shown.headers["content-security-policy"]


async def test_a_program_gets_the_same_refusal_as_data(visitor: Visitor) -> None:
    answer = await visitor.http.get("/nowhere", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    wrong = await visitor.http.delete("/staff/search", headers={"accept": "application/json"})
    assert (wrong.status_code, wrong.json()["code"]) == (405, "METHOD_NOT_ALLOWED")


async def test_a_fault_shows_a_request_id_and_no_internals(
    manager: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.pages.staff import place

    async def broken(*_: object) -> None:
        raise RuntimeError("secret: 13800000000")

    monkeypatch.setattr(place, "Place", broken)
    monkeypatch.setattr("api.pages.staff.search.place_of", broken)
    shown = await manager.get("/staff/search")
    assert shown.status_code == 500
    assert "13800000000" not in shown.text and "RuntimeError" not in shown.text
    assert re.search(r"请求编号 [0-9a-f]{32}", seen(shown))


async def test_forms_have_limits(manager: Visitor) -> None:
    before = await everything()
    large = await manager.post("/staff/search", {"q": "x" * 70_000})
    assert large.status_code == 413
    many = {f"f{n}": "" for n in range(2_500)}
    assert (await manager.post("/staff/search", many)).status_code == 400

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"q=" + b"x" * 1000

    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
    streamed = await manager.http.post("/staff/search", content=endless(), headers=headers)
    assert streamed.status_code == 413
    assert await everything() == before


async def test_english_is_shown_to_who_prefers_it(visitor: Visitor) -> None:
    shown = await visitor.get("/staff/sign-in", **{"accept-language": "en-GB,en;q=0.9,zh;q=0.5"})
    assert '<html lang="en">' in shown.text and "Staff sign-in" in seen(shown)
    assert "Accept-Language" in shown.headers["vary"]


@pytest.mark.parametrize("path", ["/staff/inbox/live", "/staff/guard/live"])
async def test_who_follows_events_signed_out_is_shown_no_page(visitor: Visitor, path: str) -> None:
    followed = await visitor.get(path, accept="text/event-stream")
    assert (followed.status_code, followed.content) == (204, b"")
    assert (await visitor.get(path)).headers["location"].startswith("/staff/sign-in")
