"""The access token: shared, sealed, renewed for any call, and forced as good as never."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from api.addresses import Addresses
from api.instance import cache
from domains.platforms import transports
from domains.platforms.calling import NotSent, OutcomeUnknown, pool
from domains.platforms.wechat import WeChat, errcode_of
from tests.factories.identity import new_phone, unique
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("reaching")

PHONE = "/wxa/business/getuserphonenumber"
ISSUED = "SELECT count(*) FROM tokens WHERE kind = 'wechat_access' AND forced >= ?"


def wechat() -> WeChat:
    found = transports().wechat
    assert found is not None
    return found


def agreed(stand: Stand, phone: str) -> dict[str, object]:
    """The code of a person who agrees to give this number."""
    return {"code": str(stand.open("wechat/phone", person=unique("甲"), phone=phone)["code"])}


def issued(stand: Stand, *, forced: bool = False) -> int:
    return int(stand.books(ISSUED, int(forced))[0][0])


def number_in(answer: dict[str, Any]) -> str:  # Any: a platform's JSON
    return str(answer["phone_info"]["purePhoneNumber"])


async def test_an_errcode_comes_back_to_the_caller(stand: Stand) -> None:
    assert errcode_of(await wechat().call(PHONE, {"code": "nonsense"})) == 40029
    query = {"js_code": "nonsense", "grant_type": "authorization_code"}
    assert errcode_of(await wechat().get("/sns/jscode2session", query)) == 40029


async def test_the_secret_opens_what_needs_no_token(stand: Stand) -> None:
    code = str(stand.open("wechat/login", person=unique("乙"))["js_code"])
    answer = await wechat().get("/sns/jscode2session", {"js_code": code, "grant_type": "authorization_code"})
    assert answer["openid"]


async def test_the_token_is_kept_sealed_and_for_less_than_it_lives(stand: Stand) -> None:
    await wechat().call(PHONE, {"code": "nonsense"})
    token = stand.books("SELECT token FROM tokens WHERE dead_at IS NULL ORDER BY issued_at DESC")[0][0]
    key = f"wechat:token:{wechat().app_id}"
    kept = await cache().get(key)
    assert isinstance(kept, bytes) and token.encode() not in kept
    assert 0 < await cache().ttl(key) <= 7200 - 300


async def test_a_token_sealed_by_a_key_of_before_is_asked_for_again(stand: Stand) -> None:
    await cache().set(f"wechat:token:{wechat().app_id}", b"\x63" + bytes(40))
    phone = new_phone()
    assert number_in(await wechat().call(PHONE, agreed(stand, phone))) == phone


@asynccontextmanager
async def workers(
    addresses: Addresses, url: str, app: dict[str, str], transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[list[WeChat]]:
    """Four transports as in so many processes: a pool and a connection to Valkey each."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(4):
            client = await stack.enter_async_context(aioredis.Redis.from_url(addresses.redis_url))
            http = httpx.AsyncClient(transport=transport) if transport else pool()
            await stack.enter_async_context(http)
            made.append(WeChat(http, client, url=url, app_id=app["appid"], secret=app["secret"]))
        yield made


async def test_twenty_calls_whose_token_died_are_all_answered_by_one_new_token(
    stand: Stand, addresses: Addresses
) -> None:
    await wechat().call(PHONE, {"code": "nonsense"})
    before, forced = issued(stand), issued(stand, forced=True)
    numbers = [new_phone() for _ in range(20)]
    codes = [agreed(stand, number) for number in numbers]
    stand.fault("wechat", "getuserphonenumber", "dead_token")
    async with workers(addresses, str(stand.http.base_url), stand.credentials["wechat"]) as made:
        answers = await asyncio.gather(*(made[n % 4].call(PHONE, code) for n, code in enumerate(codes)))
    assert [number_in(answer) for answer in answers] == numbers
    assert issued(stand) == before + 1
    assert issued(stand, forced=True) == forced


class Stubborn:
    """A platform that goes on giving a token it refuses itself, until a new one is forced."""

    def __init__(self, *, curable: bool = True) -> None:
        self.serial, self.dead, self.forced, self.asked, self.made = 1, 1, 0, 0, 0
        self.curable = curable

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.005)
        body = orjson.loads(request.content)
        if request.url.path == "/cgi-bin/stable_token":
            return self._token(bool(body["force_refresh"]))
        self.made += 1
        if request.url.params["access_token"] == f"token-{self.dead}":
            return httpx.Response(200, json={"errcode": 42001})
        return httpx.Response(200, json={"errcode": 0})

    def _token(self, force: bool) -> httpx.Response:
        self.asked += 1
        if force:
            self.forced += 1
            self.serial += 1
            self.dead += not self.curable
        return httpx.Response(200, json={"access_token": f"token-{self.serial}", "expires_in": 7200})


@asynccontextmanager
async def facing(
    platform: Callable[[httpx.Request], Coroutine[None, None, httpx.Response]], addresses: Addresses
) -> AsyncIterator[list[WeChat]]:
    app = {"appid": f"wx{secrets.token_hex(8)}", "secret": "s"}
    async with workers(addresses, "https://wechat.invalid", app, httpx.MockTransport(platform)) as made:
        yield made


async def test_of_twenty_whose_token_only_force_renews_one_forces(addresses: Addresses) -> None:
    platform = Stubborn()
    async with facing(platform, addresses) as made:
        answers = await asyncio.gather(*(made[n % 4].call("/any", {}) for n in range(20)))
        assert [errcode_of(answer) for answer in answers] == [0] * 20
        assert platform.forced == 1
        assert errcode_of(await made[0].call("/any", {})) == 0
    assert platform.forced == 1


async def test_a_refusal_that_no_token_cures_comes_back_and_forces_once(addresses: Addresses) -> None:
    platform = Stubborn(curable=False)
    async with facing(platform, addresses) as made:
        answers = await asyncio.gather(*(made[n % 4].call("/any", {}) for n in range(20)))
        answers.append(await made[0].call("/any", {}))
    assert {errcode_of(answer) for answer in answers} == {42001}
    assert platform.forced == 1
    assert platform.made <= 3 * 21


async def test_many_who_begin_at_once_ask_for_one_token(addresses: Addresses) -> None:
    platform = Stubborn()
    platform.dead = 0
    async with facing(platform, addresses) as made:
        await asyncio.gather(*(made[n % 4].call("/any", {}) for n in range(20)))
    assert (platform.asked, platform.made) == (1, 20)


@pytest.mark.parametrize("kind", ["http_429", "http_500", "busy", "drop"])
async def test_without_a_token_the_call_was_not_sent(stand: Stand, kind: str) -> None:
    phone = new_phone()
    code = agreed(stand, phone)
    await cache().delete(f"wechat:token:{wechat().app_id}")
    stand.fault("wechat", "stable_token", kind)
    with pytest.raises(NotSent) as failure:
        await wechat().call(PHONE, code)
    assert failure.value.reason.startswith("token ")
    assert number_in(await wechat().call(PHONE, code)) == phone


@pytest.mark.parametrize(
    ("kind", "failure"), [("http_429", NotSent), ("http_500", OutcomeUnknown), ("drop", OutcomeUnknown)]
)
async def test_trouble_says_whether_it_may_be_sent_again(
    stand: Stand, kind: str, failure: type[Exception]
) -> None:
    stand.fault("wechat", "getuserphonenumber", kind)
    with pytest.raises(failure):
        await wechat().call(PHONE, agreed(stand, new_phone()))


async def test_without_valkey_the_platform_is_asked_each_time(stand: Stand) -> None:
    app, phone = stand.credentials["wechat"], new_phone()
    never = Retry(NoBackoff(), 0)
    async with aioredis.Redis(host="127.0.0.1", port=1, retry=never) as nowhere, pool() as http:
        alone = WeChat(http, nowhere, url=str(stand.http.base_url), app_id=app["appid"], secret=app["secret"])
        assert number_in(await alone.call(PHONE, agreed(stand, phone))) == phone
        stand.fault("wechat", "getuserphonenumber", "dead_token")
        assert number_in(await alone.call(PHONE, agreed(stand, phone))) == phone


@pytest.mark.parametrize("answer", [{}, {"errcode": 40125}, {"access_token": 1, "expires_in": "soon"}])
async def test_a_token_that_is_none_is_not_used(addresses: Addresses, answer: dict[str, object]) -> None:
    async def platform(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answer)

    async with facing(platform, addresses) as made:
        with pytest.raises(NotSent, match="token errcode"):
            await made[0].call("/any", {})
