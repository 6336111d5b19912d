"""Stored files by their signed addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
import time_machine
from starlette.applications import Starlette

from domains.identity.models import StaffMember
from domains.kernel import clock, files
from tests.api.pages.visitors import Visitor, visiting
from tests.factories import identity

pytestmark = pytest.mark.usefixtures("instance")
BODY = bytes(range(256)) * 1000
HOUR = timedelta(hours=1)


async def stored(body: bytes = BODY, content_type: str = "image/png") -> str:
    """The key of a file in the store."""

    async def chunks() -> AsyncIterator[bytes]:
        yield body

    saved = await files.storage().save("tests", chunks(), content_type=content_type, limit_bytes=1_000_000)
    return saved.key


async def address(account: UUID, key: str, name: str | None = None) -> str:
    """A file's address for an account, good for an hour."""
    audience = files.audience_of(await identity.actor(account))
    return files.links().address(key, expires_at=clock.now() + HOUR, download_name=name, audience=audience)


@pytest.fixture
async def account() -> UUID:
    """A resident."""
    return await identity.resident(identity.new_phone())


async def fetch(visitor: Visitor, path: str, account: UUID, **headers: str) -> httpx.Response:
    """As the mini-program does: with a bearer token."""
    token = await identity.token(account)
    return await visitor.http.get(path, headers={"authorization": f"Bearer {token}", **headers})


async def test_a_file_is_given_to_whom_it_was_signed_for(visitor: Visitor, account: UUID) -> None:
    file = await fetch(visitor, await address(account, await stored()), account)
    assert (file.status_code, file.content) == (200, BODY)
    assert file.headers["content-type"] == "image/png"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["cache-control"].startswith("private, max-age=")
    assert "default-src 'none'" in file.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("wanted", "expected", "content_range"),
    [
        ("bytes=0-9", BODY[:10], "bytes 0-9/256000"),
        ("bytes=255990-", BODY[-10:], "bytes 255990-255999/256000"),
        ("bytes=-5", BODY[-5:], "bytes 255995-255999/256000"),
    ],
)
async def test_a_part_is_given(
    visitor: Visitor, account: UUID, wanted: str, expected: bytes, content_range: str
) -> None:
    part = await fetch(visitor, await address(account, await stored()), account, range=wanted)
    assert (part.status_code, part.content) == (206, expected)
    assert part.headers["content-range"] == content_range
    assert part.headers["content-length"] == str(len(expected))


async def test_a_part_that_is_not_there(visitor: Visitor, account: UUID) -> None:
    path = await address(account, await stored())
    outside = await fetch(visitor, path, account, range="bytes=256000-")
    assert (outside.status_code, outside.headers["content-range"]) == (416, "bytes */256000")
    assert outside.json()["code"] == "FILE_RANGE_INVALID"
    conditional = await fetch(visitor, path, account, range="bytes=0-9", **{"if-range": '"x"'})
    assert (conditional.status_code, len(conditional.content)) == (200, len(BODY))


async def test_head_tells_the_size_and_sends_nothing(visitor: Visitor, account: UUID) -> None:
    token = await identity.token(account)
    path = await address(account, await stored())
    head = await visitor.http.head(path, headers={"authorization": f"Bearer {token}"})
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "256000")


async def test_nobody_else_gets_it(visitor: Visitor, account: UUID) -> None:
    path = await address(account, await stored())
    other = await fetch(visitor, path, await identity.resident(identity.new_phone()))
    assert (other.status_code, other.json()["code"]) == (403, "FILE_LINK_INVALID")
    nobody = await visitor.http.get(path)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "UNAUTHENTICATED")
    forged = await visitor.http.get(path, headers={"authorization": "Bearer x.y.z"})
    assert forged.status_code == 401


async def test_an_address_ends(visitor: Visitor, account: UUID) -> None:
    path = await address(account, await stored())
    with time_machine.travel(clock.now() + HOUR + timedelta(seconds=1), tick=True):
        late = await fetch(visitor, path, account)
    assert (late.status_code, late.json()["code"]) == (403, "FILE_LINK_EXPIRED")


@pytest.mark.parametrize("token", ["x", "x" * 5000, "%00", "..%2f..%2fetc", "AAAA" * 20])
async def test_an_address_that_was_made_up(visitor: Visitor, account: UUID, token: str) -> None:
    assert (await fetch(visitor, f"/files/{token}", account)).status_code in (403, 404)


async def test_a_file_that_is_gone(visitor: Visitor, account: UUID) -> None:
    key = await stored()
    await files.storage().delete(key)
    gone = await fetch(visitor, await address(account, key), account)
    assert (gone.status_code, gone.json()["code"]) == (404, "FILE_NOT_FOUND")


async def test_a_download_name_cannot_add_a_header(visitor: Visitor, account: UUID) -> None:
    name = '台账"\r\nSet-Cookie: a=b\r\n\r\n<script>\u202egpj.xlsx'
    file = await fetch(visitor, await address(account, await stored(), name), account)
    assert file.status_code == 200 and "set-cookie" not in file.headers
    disposition = file.headers["content-disposition"]
    assert "\r" not in disposition and "\n" not in disposition and "<" not in disposition
    assert "\u202e" not in disposition and "%E2%80%AE" not in disposition


async def test_a_page_opens_it_by_its_cookies_and_renews_them(app: Starlette) -> None:
    account = await identity.staff(await identity.places(), ("estate.read",))
    path = await address(account, await stored())
    async with visiting(app) as visitor:
        await visitor.sign_in(await identity.login_of(account))
        assert (await visitor.http.get(path)).status_code == 200
        before = visitor.cookie("refresh")
        with time_machine.travel(clock.now() + timedelta(minutes=16), tick=True):
            assert (await visitor.http.get(path)).status_code == 200
            assert visitor.cookie("refresh") not in (None, before)
            assert (await visitor.get("/staff/search")).status_code == 200
        await StaffMember.filter(account_id=account).update(must_change_password=True)
        confined = await visitor.http.get(path)
    assert (confined.status_code, confined.json()["code"]) == (403, "PASSWORD_CHANGE_REQUIRED")
