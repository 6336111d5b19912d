"""Signed requests over HTTP: accepted once, bounded, counted; what is refused reaches no handler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.applications import Starlette

from api.devices import signed
from domains.kernel import clock
from domains.kernel.rates import RateLimit, WhenDown
from tests.api.devices.gatehouse import Device, Gatehouse, device
from tests.api.devices.signing import DeviceSigner
from tests.api.subscriptions.processes import PrivateValkey

TARGET = "/device/v1/alarms"


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateValkey]:
    server = PrivateValkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def house(valkey: PrivateValkey) -> Gatehouse:
    async with Redis.from_url(valkey.url) as client:
        await _answers(client)
        await client.flushall()
    return Gatehouse(valkey.url)


async def _answers(client: Redis) -> None:
    for _ in range(500):
        try:
            await client.ping()
        except RedisError:
            await asyncio.sleep(0.02)
        else:
            return


@pytest.fixture
async def app(house: Gatehouse) -> AsyncIterator[Starlette]:
    async with house.running() as app:
        yield app


@pytest.fixture
async def gate(house: Gatehouse, app: Starlette) -> AsyncIterator[Device]:
    made = device(house, app)
    yield made
    await made.http.aclose()


def code(response: httpx.Response) -> tuple[int, str]:
    told = response.json()
    assert told["message"]
    return response.status_code, told["code"]


async def test_a_signed_request_reaches_its_handler(house: Gatehouse, gate: Device) -> None:
    before = datetime.now(UTC)
    answer = await gate.call(TARGET + "?floor=3&kind=%E7%81%AB", b"\x00\xff")
    assert answer.json() == {"size": 2, "path": {"rest": "alarms"}, "query": {"floor": "3", "kind": "火"}}
    [call], key = house.calls, house.keys[gate.signer.keyid]
    assert (call.device_id, call.compound_id, call.body) == (key.device_id, key.compound_id, b"\x00\xff")
    assert before <= call.received_at <= datetime.now(UTC)
    assert abs(call.signed.created - call.received_at) < timedelta(seconds=5)
    assert (call.origin.ip, house.refusals) == ("192.0.2.1", [])


async def test_an_empty_body_is_signed_as_well(house: Gatehouse, gate: Device) -> None:
    assert (await gate.call(TARGET, method="GET")).json()["size"] == 0
    without = gate.signer.headers("GET", TARGET)
    del without["Content-Digest"]
    assert code(await gate.call(TARGET, method="GET", headers=without)) == (401, "SIGNATURE_MISSING")
    assert len(house.calls) == 1


async def test_a_request_is_accepted_once(house: Gatehouse, gate: Device) -> None:
    headers = gate.signer.headers("POST", TARGET, b"{}")
    answers = await asyncio.gather(*(gate.call(TARGET, b"{}", headers=headers) for _ in range(20)))
    assert sorted(each.status_code for each in answers) == [200] + [401] * 19
    assert {each.json()["code"] for each in answers if each.status_code == 401} == {"NONCE_USED"}
    assert len(house.calls) == 1
    assert house.refusals == [(house.keys[gate.signer.keyid].device_id, "NONCE_USED")] * 19


async def test_two_processes_accept_it_once(house: Gatehouse, gate: Device) -> None:
    headers = gate.signer.headers("POST", TARGET)
    async with house.running() as second:
        other = device(house, second)
        answers = [await each.call(TARGET, headers=headers) for each in (gate, other)]
    assert [each.status_code for each in answers] == [200, 401]


async def test_a_nonce_belongs_to_its_key(house: Gatehouse, app: Starlette, gate: Device) -> None:
    other = device(house, app)
    async with other.http:
        for each in (gate, other):
            headers = each.signer.headers("POST", TARGET, nonce="the-same-for-both-of-them")
            assert (await each.call(TARGET, headers=headers)).status_code == 200


async def test_a_nonce_is_remembered_beyond_the_window(house: Gatehouse, gate: Device) -> None:
    await gate.call(TARGET)
    async with Redis.from_url(house.redis_url) as client:
        [name] = await client.keys("device:nonce:*")
        assert await client.ttl(name) > 2 * 300


async def test_the_device_is_told_what_is_wrong(house: Gatehouse, gate: Device) -> None:
    stranger, owner = Device(gate.http), house.keys[gate.signer.keyid].device_id
    as_gate = stranger.signer.headers("POST", TARGET)
    as_gate["Signature-Input"] = as_gate["Signature-Input"].replace(stranger.signer.keyid, gate.signer.keyid)
    assert code(await stranger.call(TARGET)) == (401, "KEY_UNKNOWN")
    assert code(await stranger.call(TARGET, headers=as_gate)) == (401, "SIGNATURE_WRONG")
    headers = gate.signer.headers("POST", TARGET, b"{}")
    assert code(await gate.call(TARGET, b"[]", headers=headers)) == (401, "DIGEST_WRONG")
    assert code(await gate.call(TARGET + "?a=1", b"{}", headers=headers)) == (401, "SIGNATURE_WRONG")
    assert code(await gate.call(TARGET, b"{}", headers={"Signature": "x"})) == (401, "SIGNATURE_MISSING")
    assert house.refusals == [(owner, "SIGNATURE_WRONG")] * 2
    assert house.calls == []


async def test_what_was_refused_has_not_used_up_its_nonce(house: Gatehouse, gate: Device) -> None:
    headers = gate.signer.headers("POST", TARGET, b"{}")
    await gate.call(TARGET, b"[]", headers=headers)
    await gate.call(TARGET + "?a=1", b"{}", headers=headers)
    assert (await gate.call(TARGET, b"{}", headers=headers)).status_code == 200


async def test_a_header_that_comes_twice_is_refused(house: Gatehouse, gate: Device) -> None:
    for name, value in gate.signer.headers("POST", TARGET).items():
        lines = [*gate.signer.headers("POST", TARGET).items(), (name.lower(), value)]
        answer = await gate.http.post(TARGET, headers=lines)
        assert code(answer) == (401, "SIGNATURE_MALFORMED")
    assert house.calls == []


async def test_the_language_is_the_callers(gate: Device) -> None:
    answer = await gate.call(TARGET, headers={"Accept-Language": "en"})
    assert answer.json()["message"].isascii()
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("skew_s", [-302, 302, 10**6])
async def test_a_wrong_clock_is_refused_and_on_record(house: Gatehouse, gate: Device, skew_s: int) -> None:
    headers = gate.signer.headers("POST", TARGET, created=int(time.time()) + skew_s)
    assert code(await gate.call(TARGET, headers=headers)) == (401, "SIGNATURE_STALE")
    assert house.refusals == [(house.keys[gate.signer.keyid].device_id, "SIGNATURE_STALE")]
    assert house.calls == []


async def test_time_is_told_to_anybody(gate: Device) -> None:
    with clock.use(clock.FixedClock(datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC))):
        answer = await gate.http.get("/device/v1/time")
    assert answer.json() == {"now": 1772352000250}
    assert answer.headers["cache-control"] == "no-store"


async def test_the_handlers_own_refusal_is_answered_and_on_record(house: Gatehouse, gate: Device) -> None:
    assert code(await gate.call(TARGET, b"rubbish")) == (400, "BAD_REQUEST")
    assert [each for _, each in house.refusals] == ["BAD_REQUEST"]


async def test_a_key_that_is_withdrawn_counts_no_more_from_the_next_request(
    house: Gatehouse, gate: Device
) -> None:
    assert (await gate.call(TARGET)).status_code == 200
    del house.keys[gate.signer.keyid]
    assert code(await gate.call(TARGET)) == (401, "KEY_UNKNOWN")


async def test_64_kib_are_taken_and_not_a_byte_more(house: Gatehouse, gate: Device) -> None:
    assert (await gate.call(TARGET, bytes(64 * 1024))).json()["size"] == 64 * 1024
    assert code(await gate.call(TARGET, bytes(64 * 1024 + 1))) == (413, "PAYLOAD_TOO_LARGE")
    assert len(house.calls) == 1


async def test_a_device_has_its_own_share_and_only_it_can_use_it_up(
    house: Gatehouse, gate: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed, "PER_KEY", RateLimit("test-key", 5, 3600, 5, WhenDown.OPEN))
    forger = Device(gate.http)
    for _ in range(10):
        headers = forger.signer.headers("POST", TARGET)
        named = headers["Signature-Input"].replace(forger.signer.keyid, gate.signer.keyid)
        await gate.call(TARGET, headers=headers | {"Signature-Input": named})
    answers = [await gate.call(TARGET) for _ in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [429]
    assert code(answers[-1]) == (429, "DEVICE_TOO_OFTEN")
    assert 700 < int(answers[-1].headers["retry-after"]) <= 720
    assert len(house.calls) == 5


async def test_a_flood_of_invented_keys_is_kept_from_the_database(
    house: Gatehouse, app: Starlette, gate: Device
) -> None:
    assert (await gate.call(TARGET)).status_code == 200
    one_key, flood = DeviceSigner(), device(house, app, at="198.51.100.7")
    house.lookups.clear()
    started = time.monotonic()
    for number in range(600):
        headers = one_key.headers("POST", TARGET)
        named = headers["Signature-Input"].replace(one_key.keyid, f"{number:016x}")
        await flood.call(TARGET, headers=headers | {"Signature-Input": named})
    allowed = signed.STRANGERS[0].burst + signed.STRANGERS[0].per_period * (time.monotonic() - started) + 1
    assert signed.STRANGERS[0].burst <= len(house.lookups) <= allowed < 600
    # Neighbours do not feel it, whether they are known by now or come for the first time.
    newcomer = device(house, app, at="192.0.2.2")
    assert [(await each.call(TARGET)).status_code for each in (gate, newcomer)] == [200, 200]
    await asyncio.gather(flood.http.aclose(), newcomer.http.aclose())


async def test_a_flood_from_many_addresses_is_kept_from_it_as_well(
    house: Gatehouse, app: Starlette, gate: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = RateLimit("test-strangers", 1, 60, 5, WhenDown.OPEN)
    monkeypatch.setattr(signed, "STRANGERS", (signed.STRANGERS[0], few))
    assert (await gate.call(TARGET)).status_code == 200
    house.lookups.clear()
    for number in range(30):
        flood = device(house, app, at=f"2001:db8:{number:x}::1")
        house.keys.pop(flood.signer.keyid)
        await flood.call(TARGET)
        await flood.http.aclose()
    assert len(house.lookups) == 4
    assert (await gate.call(TARGET)).status_code == 200


async def test_the_addresses_of_one_network_count_together(
    house: Gatehouse, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = RateLimit("test-address", 1, 60, 2, WhenDown.OPEN)
    monkeypatch.setattr(signed, "PER_ADDRESS", two)
    answers = []
    for host in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"):
        made = device(house, app, at=host)
        answers.append((await made.call(TARGET)).status_code)
        await made.http.aclose()
    assert answers == [200, 200, 429, 200]


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[PrivateValkey]:
    server = PrivateValkey(tmp_path)
    server.start()
    yield server
    server.kill()


async def test_nothing_is_accepted_while_valkey_is_away(mortal: PrivateValkey) -> None:
    house = Gatehouse(mortal.url)
    async with house.running() as app, Redis.from_url(mortal.url) as client:
        gate = device(house, app)
        await _answers(client)
        assert (await gate.call(TARGET)).status_code == 200
        mortal.kill()
        house.lookups.clear()
        answer = await gate.call(TARGET)
        assert code(answer) == (503, "UNAVAILABLE")
        assert int(answer.headers["retry-after"]) > 0
        assert (len(house.calls), house.lookups, house.refusals) == (1, [], [])


async def test_nothing_is_accepted_where_only_the_nonce_cannot_be_kept(
    house: Gatehouse, gate: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(Redis, "set", hang)
    assert code(await gate.call(TARGET)) == (503, "UNAVAILABLE")
    assert house.calls == []
