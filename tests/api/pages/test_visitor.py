"""The visitor's pages: what they say in each state, what they never say, and to whom the address goes."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog
import time_machine
from starlette.applications import Starlette

from api import edge
from api.pages.texts import Texts
from api.pages.visiting.window import Window
from api.settings import Settings
from domains.access import permissions, sealed
from domains.access.service import passes, requests, visitor_page
from domains.kernel import clock, database
from domains.kernel.errors import NotFound
from tests.api.pages.test_live import streaming
from tests.api.pages.visitors import Visitor, seen
from tests.browser import qr
from tests.factories import access, alarms, devices, gates, residents, visits
from tests.factories.gates import Post
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A scene with a gate."""

    scene: Scene
    gate: Post

    async def link(self, **more: Any) -> tuple[UUID, str]:  # Any: columns
        """A pass, and the secret of its link."""
        secret = secrets.token_urlsafe(16)
        columns = {**sealed.link_columns(secret), **more}
        id = await access.visitor_pass(
            self.scene.compound_id, self.scene.house_id, self.scene.owner.account_id, **columns
        )
        return id, secret


@pytest.fixture
async def place() -> Place:
    scene = await residents.scene()
    return Place(scene, await gates.post(scene.compound_id, "南门"))


def attribute(html: str, name: str) -> str:
    """What the page holds for its script."""
    found = re.search(rf'data-{name}="([^"]*)"', html)
    assert found is not None, name
    return found[1]


async def test_a_guest_reads_when_where_how_often_and_the_hosts_words(visitor: Visitor, place: Place) -> None:
    _, secret = await place.link(
        uses_allowed=3, message="到了打电话 <b>", is_car_refused=True, plate="浙A12345"
    )
    shown = await visitor.get(f"/v/{secret}")
    text = seen(shown)
    assert shown.status_code == 200
    for words in (
        "王来访，欢迎来访",
        "南门",
        "还可进入 3 次",
        "到了打电话 <b>",
        "访客车位已满",
        "数字码，今天有效",
    ):
        assert words in text
    assert re.search(r"\b\d{3} \d{3}\b", text)
    assert re.search(r'<svg class="qr"[^>]*><path d="M\d', shown.text)


async def test_the_address_goes_to_nobody_and_the_page_is_kept_by_nobody(
    visitor: Visitor, place: Place
) -> None:
    _, secret = await place.link()
    for path in (f"/v/{secret}", "/v/unknown", f"/visit/{place.scene.code}"):
        headers = (await visitor.get(path)).headers
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["x-robots-tag"].startswith("noindex")
        assert "default-src 'self'" in headers["content-security-policy"]


async def test_nothing_of_the_house_and_its_people(visitor: Visitor, place: Place) -> None:
    _, secret = await place.link(reason="内部备注", plate="浙A12345")
    html = (await visitor.get(f"/v/{secret}")).text
    owner = place.scene.owner
    for known in (owner.name, owner.phone, "101", "浙A12345", "内部备注", str(place.scene.house_id)):
        assert known not in html


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"state": "requested", "origin": "visitor", "decided_at": None}, "正在等住户或门岗确认"),
        ({"state": "rejected", "ended_at": clock.now(), "reason": "不认识"}, "申请没有通过"),
        ({"state": "revoked", "ended_at": clock.now(), "reason": "不认识"}, "通行证已收回"),
        ({"state": "expired", "ended_at": clock.now()}, "通行证已过期"),
        ({"state": "used_up", "ended_at": clock.now(), "uses": 1}, "次数已用完"),
        ({"starts_at": clock.now() + HOUR, "ends_at": clock.now() + 2 * HOUR}, "还没到来访时间"),
        ({"uses_allowed": None}, "时间内不限次数"),
    ],
)
async def test_every_state_in_words(visitor: Visitor, place: Place, more: dict[str, Any], words: str) -> None:
    """Why a request was declined is for the visitor to read; why a pass was revoked stays with who gave the reason."""
    _, secret = await place.link(**more)
    text = seen(await visitor.get(f"/v/{secret}"))
    assert words in text and ("原因：不认识" in text) == (more.get("state") == "rejected")


async def test_a_declined_visitor_reads_why_at_once(place: Place) -> None:
    secret = await visits.ask(place.scene)
    pages = await visitor_page.follow_page(visits.stranger(), secret)
    assert (await anext(pages)).state == "requested"
    guard, pass_id = place.scene.staff(permissions.VISITORS_ADMIT), await visits.last_pass()
    await requests.decide_visitor_pass(
        guard, visitor_pass_id=pass_id, approve=False, reason="请先联系 <住户>"
    )
    async with asyncio.timeout(5):
        page = await anext(pages)
    assert (page.state, page.reason) == ("rejected", "请先联系 <住户>")
    await pages.aclose()


async def test_only_a_pass_that_counts_has_a_code(visitor: Visitor, place: Place) -> None:
    for state in ("requested", "rejected", "revoked", "expired"):
        ended = None if state == "requested" else clock.now()
        _, secret = await place.link(state=state, origin="visitor", ended_at=ended)
        assert 'class="qr"' not in (await visitor.get(f"/v/{secret}")).text, state


async def test_a_pass_whose_time_is_over_before_anybody_has_written_it_down(
    visitor: Visitor, place: Place
) -> None:
    _, secret = await place.link()
    with time_machine.travel(clock.now() + 2 * HOUR, tick=True):
        assert "通行证已过期" in seen(await visitor.get(f"/v/{secret}"))


async def test_a_compound_without_gates_has_no_code(visitor: Visitor) -> None:
    scene = await residents.scene()
    secret = await visits.ask(scene)
    pass_id = await visits.last_pass()
    await requests.decide_visitor_pass(await visits.owner(scene), visitor_pass_id=pass_id, approve=True)
    assert "请到门岗说出您的姓名" in seen(await visitor.get(f"/v/{secret}"))


async def test_a_fire_comes_first(visitor: Visitor, place: Place) -> None:
    _, secret = await place.link()
    detector = await devices.device(place.scene.compound_id, "smoke_detector", place.scene.building_id)
    await alarms.raised(detector, "fire")
    text = seen(await visitor.get(f"/v/{secret}"))
    assert "火警：立即离开这栋楼" in text and "不要乘坐电梯" in text and "欢迎来访" not in text


async def test_the_key_of_the_moving_code_is_there_where_a_gate_asks_for_it(
    visitor: Visitor, place: Place
) -> None:
    _, secret = await place.link()
    assert "data-key" not in (await visitor.get(f"/v/{secret}")).text
    await gates.post(place.scene.compound_id, "北门", needs_screen=True)
    html = (await visitor.get(f"/v/{secret}")).text
    assert attribute(html, "text").startswith("RC1:")
    assert re.fullmatch(r"[\w-]{43}", attribute(html, "key"))


async def test_english_is_shown_to_who_prefers_it(visitor: Visitor, place: Place) -> None:
    _, secret = await place.link()
    shown = await visitor.get(f"/v/{secret}", **{"accept-language": "en-GB,en;q=0.9"})
    assert '<html lang="en">' in shown.text and "Welcome, 王来访" in seen(shown)
    form = await visitor.get(f"/visit/{place.scene.code}", **{"accept-language": "en-GB,en;q=0.9"})
    assert "Ask to be let in" in seen(form)


@pytest.mark.parametrize("secret", ["x", "x" * 3000, "%00", "%3Cscript%3E", "..%5c..", "-", "%F0%9F%92%A9"])
async def test_a_link_that_nobody_was_given(visitor: Visitor, secret: str) -> None:
    shown = await visitor.get(f"/v/{secret}")
    assert shown.status_code == 404
    assert "没有找到这张通行证" in seen(shown) and "向邀请您的住户索取" in seen(shown)
    assert (await visitor.get(f"/v/{secret}/live")).status_code == 204


async def test_who_opens_links_all_the_time_has_to_wait(visitor: Visitor) -> None:
    # What was taken is earned again meanwhile.
    for _ in range(4 * visitor_page.PER_ADDRESS.burst):
        if (shown := await visitor.get("/v/x")).status_code == 429:
            break
    assert shown.status_code == 429 and "请稍后再试" in seen(shown)


async def test_the_secret_is_in_no_line_of_the_log_and_in_no_metric(visitor: Visitor, place: Place) -> None:
    _, secret = await place.link()
    with structlog.testing.capture_logs() as lines:
        await visitor.get(f"/v/{secret}")
        await visitor.get(f"/v/{secret}x/live")
        await visitor.http.post(f"/v/{secret}", headers={"accept": "text/html"})
        await visitor.http.get(f"/v/{secret}/more")
    assert any(line.get("route") == "/v/{secret}" for line in lines)
    assert secret not in str(lines)
    assert secret not in (await visitor.http.get("/metrics")).text


async def test_the_worker_reaches_what_is_below_it_and_may_fetch_from_here(visitor: Visitor) -> None:
    worker = await visitor.http.get("/visitor-worker.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
    assert "connect-src 'self'" in worker.headers["content-security-policy"]


# What changes


async def test_an_open_page_is_told_of_every_change(app: Starlette, visitor: Visitor, place: Place) -> None:
    pass_id, secret = await place.link(uses_allowed=2)
    html = (await visitor.get(f"/v/{secret}")).text
    async with streaming(app, visitor, f"/v/{secret}/live") as stream:
        status, headers = await stream.start()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert headers["cache-control"] == "no-store"
        first = await stream.event()
        version, at = first["data"].split()
        assert (first["event"], version) == ("page", attribute(html, "version"))
        assert abs(int(at) / 1000 - clock.now().timestamp()) < 5
        assert (await place.gate.scan(attribute_text(html), "in")).reason == "OK"
        used = (await stream.event())["data"].split()[0]
        html = (await visitor.get(f"/v/{secret}")).text
        assert used == attribute(html, "version") != version
        assert re.search(r"已使用 1 次，最近 \d\d:\d\d 南门", html)
        await passes.revoke_visitor_pass(await visits.owner(place.scene), visitor_pass_id=pass_id)
        assert (await stream.event())["event"] == "page"
        assert "通行证已收回" in seen(await visitor.get(f"/v/{secret}"))


def attribute_text(html: str) -> str:
    """What the still code of a page says."""
    drawn = re.search(r'<svg class="qr" viewBox="0 0 (\d+) \d+"[^>]*><path d="([^"]+)"', html)
    assert drawn is not None
    return qr.decode(qr.matrix_of(drawn[2], int(drawn[1])))


async def test_a_page_that_comes_back_learns_at_once_that_it_is_old(
    app: Starlette, visitor: Visitor, place: Place
) -> None:
    pass_id, secret = await place.link()
    before = attribute((await visitor.get(f"/v/{secret}")).text, "version")
    await passes.revoke_visitor_pass(await visits.owner(place.scene), visitor_pass_id=pass_id)
    async with streaming(app, visitor, f"/v/{secret}/live") as stream:
        await stream.start()
        assert (await stream.event())["data"].split()[0] != before


async def test_an_address_holds_so_many_connections_and_no_more(
    app: Starlette, visitor: Visitor, place: Place, settings: Settings
) -> None:
    _, secret = await place.link()
    most = edge.options_of(settings).sockets_per_client
    streams = [streaming(app, visitor, f"/v/{secret}/live") for _ in range(most + 1)]
    opened = [await each.__aenter__() for each in streams]
    statuses = [(await each.start())[0] for each in opened]
    for each in streams:
        await each.__aexit__(None, None, None)
    assert sorted(statuses) == [200] * most + [204]


async def test_a_change_between_reading_and_listening_is_not_missed(place: Place) -> None:
    pass_id, secret = await place.link()
    async with aclosing(await visitor_page.follow_page(visits.stranger(), secret)) as pages:
        assert (await anext(pages)).state == "active"
        await database.execute("UPDATE visitor_pass SET message = '改了' WHERE id = $1", pass_id)
        assert (await anext(pages)).message == "改了"


async def test_following_ends_where_the_link_leads_nowhere(place: Place) -> None:
    pass_id, secret = await place.link()
    pages = await visitor_page.follow_page(visits.stranger(), secret)
    await anext(pages)
    other = sealed.link_columns(secrets.token_urlsafe(16))["link_hash"]
    await database.execute("UPDATE visitor_pass SET link_hash = $2 WHERE id = $1", pass_id, other)
    assert [page async for page in pages] == []
    with pytest.raises(NotFound):
        await visitor_page.follow_page(visits.stranger(), secret)


# When


@pytest.mark.parametrize(
    ("start", "end", "language", "expected"),
    [
        (
            "2026-11-21T06:00:00+00:00",
            "2026-11-21T08:00:00+00:00",
            "zh",
            ("14:00 – 16:00", "11月21日 周六", "16:00"),
        ),
        (
            "2026-11-21T06:00:00+00:00",
            "2026-11-21T08:00:00+00:00",
            "en",
            ("14:00 – 16:00", "Sat 21 Nov", "16:00"),
        ),
        (
            "2026-11-21T14:00:00Z",
            "2026-11-21T17:00:00Z",
            "zh",
            ("22:00 – 01:00", "11月21日 周六", "11月22日 周日 01:00"),
        ),
    ],
)
def test_a_window_in_words(start: str, end: str, language: Any, expected: tuple[str, ...]) -> None:
    window = Window.of(start, end, Texts(language))
    assert (window.hours, window.first_day, window.end) == expected
