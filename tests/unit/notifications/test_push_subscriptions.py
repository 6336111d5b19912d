"""Browsers that take Web Push: whose they are, how many, and which addresses the server would ever call."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domains.kernel import clock, database, sealing
from domains.kernel.actor import ANONYMOUS, Actor
from domains.kernel.errors import Forbidden, Invalid, Unauthenticated
from notifications import push_subscriptions as service
from notifications.channels.outside import Outside, outside
from notifications.sealed import PUSH_ENDPOINT, PUSH_KEYS
from tests.factories import notifications as made

pytestmark = pytest.mark.usefixtures("instance")

POINT = ec.derive_private_key(7, ec.SECP256R1()).public_key().public_bytes(
    Encoding.X962, PublicFormat.UncompressedPoint
)  # fmt: skip


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


KEYS = {"p256dh": text(POINT), "auth": text(secrets.token_bytes(16))}


@contextmanager
def calling(*, reaches_private: bool) -> Iterator[None]:
    before = outside()
    outside.fill(Outside(reaches_private=reaches_private))
    yield
    outside.fill(before)


@pytest.fixture(autouse=True)
def in_production(instance: object) -> Iterator[None]:
    with calling(reaches_private=False):
        yield


def somebody() -> Actor:
    return Actor("resident", uuid4(), uuid4())


def address() -> str:
    return f"https://push.example.com/v2/{uuid4()}"


async def register(actor: Actor, endpoint: str, **keys: str) -> None:
    await service.register_push_subscription(actor, endpoint=endpoint, **{**KEYS, **keys})


async def devices(actor: Actor) -> list[UUID]:
    rows = await database.fetch("SELECT id FROM push_subscription WHERE account_id = $1", actor.id)
    return [row["id"] for row in rows]


async def test_a_browser_is_kept_sealed_with_its_session() -> None:
    me, endpoint = somebody(), address()
    await register(me, endpoint, auth=KEYS["auth"] + "==")
    row = await database.fetchrow("SELECT * FROM push_subscription WHERE account_id = $1", me.id)
    assert row is not None
    assert row["session_id"] == me.session_id
    assert sealing.unseal(row["endpoint_sealed"], PUSH_ENDPOINT) == endpoint
    assert orjson.loads(sealing.unseal(row["keys_sealed"], PUSH_KEYS)) == KEYS
    assert b"example" not in bytes(row["endpoint_sealed"])


async def test_the_same_browser_is_the_same_one_with_its_newest_keys() -> None:
    me, endpoint = somebody(), address()
    await register(me, endpoint)
    before, later = await devices(me), replace(me, session_id=uuid4())
    fresh = text(secrets.token_bytes(16))
    await register(later, endpoint, auth=fresh)
    assert await devices(me) == before
    row = await database.fetchrow(
        "SELECT session_id, keys_sealed FROM push_subscription WHERE id = $1", before[0]
    )
    assert row is not None
    assert row["session_id"] == later.session_id
    assert orjson.loads(sealing.unseal(row["keys_sealed"], PUSH_KEYS))["auth"] == fresh


async def test_a_browser_in_other_hands_is_another_one() -> None:
    me, you, endpoint = somebody(), somebody(), address()
    await register(me, endpoint)
    mine = await devices(me)
    await register(you, endpoint)
    assert await devices(me) == []
    assert await devices(you) != mine
    assert not await service.drop_push_subscription(me, endpoint=endpoint)
    assert len(await devices(you)) == 1


async def test_of_more_than_ten_the_one_registered_longest_ago_goes() -> None:
    me, endpoints = somebody(), [address() for _ in range(11)]
    with clock.use(clock.FixedClock(clock.now())) as then:
        for endpoint in (*endpoints[:10], endpoints[0], endpoints[10]):
            await register(me, endpoint)
            then.advance(timedelta(seconds=1))
    assert len(await devices(me)) == 10
    assert [await service.drop_push_subscription(me, endpoint=each) for each in endpoints[:3]] == [
        True,
        False,
        True,
    ]


async def test_many_at_once_are_ten_and_one_endpoint_is_one_browser() -> None:
    me, you, endpoint = somebody(), somebody(), address()
    await asyncio.gather(*(register(me, address()) for _ in range(15)))
    assert len(await devices(me)) == 10
    await asyncio.gather(*(register(each, endpoint) for each in (you, somebody(), you, somebody(), you)))
    index = sealing.find(endpoint, PUSH_ENDPOINT)
    assert (
        await database.fetchval("SELECT count(*) FROM push_subscription WHERE endpoint_index = $1", index)
        == 1
    )


async def test_dropping_is_for_the_owner_and_twice_is_nothing() -> None:
    me, endpoint = somebody(), address()
    await register(me, endpoint)
    assert not await service.drop_push_subscription(somebody(), endpoint=endpoint)
    assert await service.drop_push_subscription(me, endpoint=endpoint)
    assert not await service.drop_push_subscription(me, endpoint=endpoint)
    assert await devices(me) == []


async def test_sessions_that_end_take_their_browsers_along() -> None:
    me = somebody()
    other = replace(me, session_id=uuid4())
    for actor in (me, me, other):
        await register(actor, address())
    assert me.session_id is not None
    assert await service.end_sessions([me.session_id, uuid4()]) == 2
    assert len(await devices(me)) == 1
    assert await service.end_sessions([]) == 0


PUBLIC = (
    "https://fcm.googleapis.com/fcm/send/abc:APA91b-x_y", "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
    "https://web.push.apple.com/QGd3", "https://wns2-par02p.notify.windows.com/w/?token=BQY%3d",
    "https://PUSH.example.com:8443/a",
)  # fmt: skip
ODD = (
    "", "x", "//push.example.com/a", "ftp://push.example.com/a", "https://", "https:///a", "javascript:alert(1)",
    "https://push.example.com:99999/a", "https://push.example.com:0/a", "https://user:secret@push.example.com/a", "https://push.example.com@10.0.0.1/a",
    "https://push.example.com/a\n", "\thttps://push.example.com/a", "https://[::1/a", "https://push.example.com/a#b",
    "http://push.example.com/a", "http://192.168.1.1/a",
)  # fmt: skip
INSIDE = (
    "https://localhost/a", "https://10.0.0.1/a", "https://192.168.1.1/a", "https://169.254.169.254/latest",
    "https://127.0.0.1/a", "https://[::1]/a", "https://[fe80::1]/a", "https://[::ffff:127.0.0.1]/a", "https://0/a",
    "https://2130706433/a", "https://intranet/a", "http://localhost:9/a",
)  # fmt: skip


@pytest.mark.parametrize("endpoint", PUBLIC)
async def test_push_services_are_taken(endpoint: str) -> None:
    me = somebody()
    await register(me, endpoint)
    assert len(await devices(me)) == 1


@pytest.mark.parametrize("endpoint", [*ODD, *INSIDE])
async def test_other_addresses_are_never_called(endpoint: str) -> None:
    me, before = somebody(), await made.fingerprint()
    with pytest.raises(Invalid) as refused:
        await register(me, endpoint)
    assert (refused.value.code, refused.value.field) == ("ENDPOINT_INVALID", "endpoint")
    assert await made.fingerprint() == before


async def test_embedded_a_push_service_may_be_on_this_machine() -> None:
    me = somebody()
    with calling(reaches_private=True):
        for endpoint in ("http://localhost:9/a", "http://127.0.0.1:9/a", "https://192.168.1.1/a", *PUBLIC):
            await register(me, endpoint)
        for endpoint in ODD:
            with pytest.raises(Invalid):
                await register(me, endpoint)


WRONG_POINTS = {
    "short": POINT[:-1], "long": POINT + b"\0", "compressed": b"\x02" + POINT[1:33], "not on the curve": b"\x04" + bytes(64),
    "infinity": b"\0", "empty": b"",
}  # fmt: skip


@pytest.mark.parametrize(
    "written", [*map(text, WRONG_POINTS.values()), "键", "a b", "=", "A" * 2000, text(POINT) + "!"]
)
async def test_a_key_that_is_none_is_refused(written: str) -> None:
    me, before = somebody(), await made.fingerprint()
    with pytest.raises(Invalid) as refused:
        await register(me, address(), p256dh=written)
    assert (refused.value.code, refused.value.field) == ("PUSH_KEY_INVALID", "p256dh")
    assert await made.fingerprint() == before


@pytest.mark.parametrize(
    "written", ["", "AAAA", text(bytes(15)), text(bytes(17)), "密", "A" * 23, "A" * 21 + "!"]
)
async def test_a_secret_that_is_none_is_refused(written: str) -> None:
    me, before = somebody(), await made.fingerprint()
    with pytest.raises(Invalid) as refused:
        await register(me, address(), auth=written)
    assert (refused.value.code, refused.value.field) == ("PUSH_KEY_INVALID", "auth")
    assert await made.fingerprint() == before


async def test_only_who_is_signed_in_has_browsers() -> None:
    before = await made.fingerprint()
    with pytest.raises(Unauthenticated):
        await register(ANONYMOUS, address())
    for actor in (replace(somebody(), kind="staff", confined=True), replace(somebody(), session_id=None)):
        with pytest.raises(Forbidden):
            await register(actor, address())
    with pytest.raises(Unauthenticated):
        await service.drop_push_subscription(ANONYMOUS, endpoint=address())
    assert await made.fingerprint() == before
