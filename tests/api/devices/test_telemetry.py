"""Devices over signed HTTP against the real register: readings, heartbeats, keys that end at once."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import httpx
import orjson
import pytest

from api.app import build_app
from api.settings import Settings
from domains.devices.models import Device, DeviceRefusal, Reading
from domains.devices.service import keys, registry
from domains.devices.service.refusals import refusals
from domains.kernel.actor import SYSTEM
from tests.api.devices.signing import DeviceSigner
from tests.factories import devices
from tests.factories.alarms import all_of
from tests.factories.identity import Places, places

pytestmark = pytest.mark.usefixtures("instance")

TELEMETRY = "/device/v1/telemetry"


@dataclass
class Caller:
    """A registered device that calls."""

    http: httpx.AsyncClient
    id: UUID
    signer: DeviceSigner = field(default_factory=DeviceSigner)

    async def post(
        self, target: str, content: object = None, *, created: int | None = None
    ) -> httpx.Response:
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        return await self.http.post(
            target, content=body, headers=self.signer.headers("POST", target, body, created=created)
        )


@pytest.fixture(scope="module")
async def http(settings: Settings, instance: object) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://linli") as client:
        yield client


@pytest.fixture(scope="module")
async def at(instance: object) -> Places:
    return await places()


@pytest.fixture
async def tank(http: httpx.AsyncClient, at: Places) -> Caller:
    caller = Caller(http, await devices.device(at.compound_id, "water_tank"))
    public = base64.b64encode(caller.signer.public_key).decode()
    issued = await keys.issue_device_key(SYSTEM, device_id=caller.id, public_key=public)
    assert issued.key_id == caller.signer.keyid
    return caller


async def refused(device_id: UUID) -> dict[tuple[str, str], int]:
    await refusals().write()
    return {(row.way, row.code): row.count for row in await DeviceRefusal.filter(device_id=device_id)}


def now_ms() -> int:
    return round(time.time() * 1000)


async def test_readings_are_taken_and_bad_ones_named(tank: Caller) -> None:
    at = now_ms()
    answer = await tank.post(
        TELEMETRY,
        [{"metric": "level_m", "value": 1.25, "at": at}, {"metric": "Level"}, {"metric": "ph", "value": 7}],
    )
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert abs(told.pop("now") - at) < 60_000
    assert told == {"taken": 2, "refused": [{"index": 1, "code": "METRIC_INVALID"}], "clockIsRight": True}
    assert await Reading.filter(device_id=tank.id).count() == 2
    assert (await Device.get(pk=tank.id)).is_online
    assert await refused(tank.id) == {("http", "METRIC_INVALID"): 1}


async def test_a_metric_too_many_is_named_by_its_place(tank: Caller) -> None:
    said: list[object] = [{"metric": f"m{n:02}", "value": n} for n in range(63)]
    assert (await tank.post(TELEMETRY, said)).json()["taken"] == 63
    said = [5, {"metric": "a", "value": 1}, {"metric": "b", "value": 2}, {"metric": "m01", "value": 3}]
    told = (await tank.post(TELEMETRY, said)).json()
    assert (told["taken"], told["refused"]) == (
        2, [{"index": 0, "code": "READING_INVALID"}, {"index": 2, "code": "METRICS_TOO_MANY"}],
    )  # fmt: skip
    assert await refused(tank.id) == {("http", "READING_INVALID"): 1, ("http", "METRICS_TOO_MANY"): 1}


async def test_readings_that_waited_for_a_network_keep_their_time(tank: Caller) -> None:
    past = now_ms() - 6 * 3600 * 1000
    answer = await tank.post(
        TELEMETRY, [{"metric": "level_m", "value": n, "at": past + n} for n in range(200)]
    )
    assert answer.json()["clockIsRight"] is True
    assert await Reading.filter(device_id=tank.id).count() == 200
    assert await all_of(tank.id) == []


async def test_readings_of_the_future_are_a_clock_that_is_wrong(tank: Caller) -> None:
    answer = await tank.post(TELEMETRY, [{"metric": "level_m", "value": 1, "at": now_ms() + 3_600_000}])
    assert (answer.status_code, answer.json()["clockIsRight"]) == (200, False)
    assert [alarm.kind for alarm in await all_of(tank.id)] == ["clock"]
    assert await refused(tank.id) == {("http", "TIME_WRONG"): 1}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "PAYLOAD_INVALID"),
        (b"\xff\x00", "PAYLOAD_INVALID"),
        (b"{}", "PAYLOAD_INVALID"),
        (orjson.dumps([{}] * 201), "TOO_MANY_READINGS"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_on_record(tank: Caller, body: bytes, code: str) -> None:
    answer = await tank.post(TELEMETRY, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await refused(tank.id) == {("http", code): 1}
    assert (await Device.get(pk=tank.id)).last_seen_at is None


async def test_a_heartbeat_says_that_it_is_there_and_hears_the_time(tank: Caller) -> None:
    answer = await tank.post("/device/v1/heartbeat", b"\xff anything")
    assert answer.status_code == 200
    assert abs(answer.json()["now"] - now_ms()) < 60_000
    device = await Device.get(pk=tank.id)
    assert device.is_online and device.last_seen_at


async def test_a_key_that_is_revoked_counts_for_no_request_after_it(tank: Caller) -> None:
    assert (await tank.post("/device/v1/heartbeat")).status_code == 200
    await keys.revoke_device_key(SYSTEM, device_id=tank.id, key_id=tank.signer.keyid)
    answer = await tank.post(TELEMETRY, [{"metric": "level_m", "value": 1}])
    assert (answer.status_code, answer.json()["code"]) == (401, "KEY_UNKNOWN")
    assert await Reading.filter(device_id=tank.id).count() == 0


async def test_a_device_that_is_retired_is_not_heard(tank: Caller) -> None:
    await registry.change_device_state(SYSTEM, device_id=tank.id, state="retired", reason="到期")
    assert (await tank.post("/device/v1/heartbeat")).status_code == 401
    assert (await Device.get(pk=tank.id)).last_seen_at is None


async def test_an_old_request_is_refused_on_record_and_accuses_no_clock(tank: Caller) -> None:
    answer = await tank.post(TELEMETRY, [], created=int(time.time()) - 400)
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_STALE")
    assert await refused(tank.id) == {("http", "SIGNATURE_STALE"): 1}
    assert await all_of(tank.id) == []


async def test_what_is_not_signed_is_nobodys(http: httpx.AsyncClient) -> None:
    for target in (TELEMETRY, "/device/v1/heartbeat"):
        answer = await http.post(target, content=b"[]")
        assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_MISSING")
