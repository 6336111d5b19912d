"""The mini-program in a browser, as the server hands it out."""

from __future__ import annotations

import hashlib
import json
import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from api.pages.client import Face
from tests.api.pages.visitors import Visitor

pytestmark = pytest.mark.usefixtures("instance")


async def test_the_page_is_asked_for_anew_and_loads_nothing_from_elsewhere(visitor: Visitor) -> None:
    shown = await visitor.http.get("/app/")
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["cache-control"] == "no-cache"
    policy = shown.headers["content-security-policy"]
    assert (
        "script-src 'self';" in policy and "unsafe-eval" not in policy and "frame-ancestors 'none'" in policy
    )
    again = await visitor.http.get("/app/", headers={"if-none-match": shown.headers["etag"]})
    assert again.status_code == 304
    assert (await visitor.http.get("/app")).headers["location"] == "/app/"


async def test_its_files_are_kept_for_a_year_and_small(visitor: Visitor) -> None:
    page = (await visitor.http.get("/app/")).text
    names = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page)
    assert names
    for name in names:
        file = await visitor.http.get(f"/app/{name}", headers={"accept-encoding": "gzip"})
        assert file.status_code == 200, name
        assert "immutable" in file.headers["cache-control"], name
        assert file.headers["content-encoding"] == "gzip" or len(file.content) < 500
    logo = await visitor.http.get("/app/static/logo.svg")
    assert logo.headers["cache-control"] == "no-cache"


async def test_the_worker_is_asked_for_anew_and_reaches_this_server_alone(visitor: Visitor) -> None:
    worker = await visitor.http.get("/app/sw.js")
    assert worker.status_code == 200
    assert worker.headers["content-type"] == "text/javascript; charset=utf-8"
    assert worker.headers["cache-control"] == "no-cache"
    assert worker.headers["content-security-policy"] == "default-src 'none'; connect-src 'self'"
    assert "worker-src 'self';" in (await visitor.http.get("/app/")).headers["content-security-policy"]
    page = hashlib.sha256((await visitor.http.get("/app/")).content).hexdigest()
    assert f'const PAGE = "{page}"' in worker.text
    [files] = re.findall(r"const FILES = (\[.+\])", worker.text)
    for name in json.loads(files):
        assert (await visitor.http.get(f"/app/{name}")).status_code == 200, name


async def test_who_can_read_it_gets_what_the_build_has_packed_tighter(visitor: Visitor) -> None:
    page = (await visitor.http.get("/app/")).text
    [name] = re.findall(r'href="\./(assets/home[^"]+js)"', page)
    lengths = dict[str, int]()
    for accepted, expected in (
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, identity", ""),
        ("", ""),
    ):
        async with visitor.http.stream(
            "GET", f"/app/{name}", headers={"accept-encoding": accepted}
        ) as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert answer.headers.get("content-encoding", "") == expected, accepted
        assert answer.headers["vary"] == "Accept-Encoding"
        lengths[expected] = len(raw)
    assert lengths["br"] < lengths["gzip"] < lengths[""]
    assert (await visitor.http.get(f"/app/{name}.br")).status_code == 404


@pytest.mark.parametrize(
    "name", ["nowhere", "../documents.json", "%2e%2e/documents.json", "assets/", "index.html/x"]
)
async def test_nothing_but_the_build_is_handed_out(visitor: Visitor, name: str) -> None:
    assert (await visitor.http.get(f"/app/{name}")).status_code == 404


OWN = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("url", "called", "leads"),
    [
        (OWN, "http://localhost:8000", f"{OWN}/app/"), (OWN, "http://[::1]:8000", f"{OWN}/app/"),
        ("http://localhost:8000", OWN, "http://localhost:8000/app/"), (OWN, OWN, None),
        (OWN, "http://localhost:9000", None), (OWN, "http://192.168.1.20:8000", None),
        ("https://linli.example.cn", "http://localhost:8000", None), ("http://localhost", "http://127.0.0.1", "http://localhost/app/"),
    ],
)  # fmt: skip
async def test_this_machine_is_called_by_one_name(url: str, called: str, leads: str | None) -> None:
    app = Starlette(routes=[Route("/app/{name:path}", Face(url).serve)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=called) as browser:
        shown = await browser.get("/app/")
        logo = await browser.get("/app/static/logo.svg")
    assert shown.headers.get("location") == leads
    assert shown.status_code == (200 if leads is None else 307)
    assert logo.status_code == 200


async def test_a_name_that_is_none_is_no_other_name_of_this_machine() -> None:
    app = Starlette(routes=[Route("/app/{name:path}", Face(OWN).serve)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=OWN) as browser:
        assert (await browser.get("/app/", headers={"host": "localhost:none"})).status_code == 200
