"""Collectors over signed HTTP: what they read of their meters, and of no others."""

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
from domains.billing.models import MeterReading
from domains.devices.models import Device, DeviceRefusal
from domains.devices.service import keys
from domains.devices.service.refusals import refusals
from domains.kernel.actor import SYSTEM
from tests.api.devices.signing import DeviceSigner
from tests.factories import devices, meters, residents
from tests.factories.meters import days

pytestmark = pytest.mark.usefixtures("instance")

ADDRESS = "/device/v1/meters/readings"


@dataclass
class Collector:
    """A device that reads a water meter."""

    http: httpx.AsyncClient
    id: UUID
    meter: UUID
    signer: DeviceSigner = field(default_factory=DeviceSigner)

    async def tell(self, content: object) -> httpx.Response:
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        return await self.http.post(ADDRESS, content=body, headers=self.signer.headers("POST", ADDRESS, body))


@pytest.fixture(scope="module")
async def http(settings: Settings, instance: object) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://linli") as client:
        yield client


@pytest.fixture
async def collector(http: httpx.AsyncClient) -> Collector:
    at = await residents.scene()
    device = await devices.device(at.compound_id, "other")
    meter = await meters.meter(at.compound_id, at.house_id, number="W-1", device_id=device)
    made = Collector(http, device, meter)
    public = base64.b64encode(made.signer.public_key).decode()
    await keys.issue_device_key(SYSTEM, device_id=device, public_key=public)
    return made


def ms(day: int) -> int:
    return int(days(day).timestamp() * 1000)


async def test_each_reading_is_answered(collector: Collector) -> None:
    said = [
        {"meter": "W-1", "value": 110.5, "at": ms(30), "sequence": 7}, {"meter": "W-1", "value": 20, "at": ms(40)},
        {"meter": str(collector.meter), "value": "115", "at": ms(50)}, {"meter": "W-1", "value": 110.5, "at": ms(30)},
        {"meter": "W-2", "value": 1, "sequence": 8}, {"meter": "W-1", "value": -1}, 5,
    ]  # fmt: skip
    answer = await collector.tell(said)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert abs(told.pop("now") - time.time() * 1000) < 60_000
    assert told["results"] == [
        {"result": "accepted", "sequence": 7}, {"result": "held", "code": "BACKWARDS"}, {"result": "accepted"},
        {"result": "duplicate"}, {"result": "unknown", "code": "METER_UNKNOWN", "sequence": 8},
        {"result": "invalid", "code": "READING_OUT_OF_RANGE"}, {"result": "invalid", "code": "READING_INVALID"},
    ]  # fmt: skip
    assert [total for _, total in await meters.totals(collector.meter)] == [0, 10.5, 15]
    assert await MeterReading.filter(meter_id=collector.meter, state="held", source="collector").count() == 1
    assert (await Device.get(pk=collector.id)).is_online
    await refusals().write()
    found = {row.code: row.count for row in await DeviceRefusal.filter(device_id=collector.id)}
    assert found == {"METER_UNKNOWN": 1, "READING_OUT_OF_RANGE": 1, "READING_INVALID": 1}


async def test_another_collectors_meter_is_unknown(collector: Collector, http: httpx.AsyncClient) -> None:
    at = await residents.scene()
    foreign = await meters.meter(
        at.compound_id, at.house_id, device_id=await devices.device(at.compound_id, "other")
    )
    answer = await collector.tell([{"meter": str(foreign), "value": 110}])
    assert answer.json()["results"] == [{"result": "unknown", "code": "METER_UNKNOWN"}]
    assert len(await meters.totals(foreign)) == 1


async def test_a_thousand_at_once_and_no_more(collector: Collector) -> None:
    # A compact list of a thousand fits into the 64 KiB of a request.
    said = [{"meter": "W-1", "value": 100 + n / 10, "at": ms(10) + n * 1000} for n in range(1000)]
    told = (await collector.tell(said)).json()
    assert {each["result"] for each in told["results"]} == {"accepted"}
    refused = await collector.tell([{}] * 1001)
    assert (refused.status_code, refused.json()["code"]) == (400, "TOO_MANY_METER_READINGS")
    for body in (b"", b"{}", b"\xff"):
        assert (await collector.tell(body)).json()["code"] == "PAYLOAD_INVALID"


async def test_who_does_not_sign_is_not_heard(collector: Collector) -> None:
    body = orjson.dumps([{"meter": "W-1", "value": 110}])
    for headers in ({}, DeviceSigner().headers("POST", ADDRESS, body)):
        answer = await collector.http.post(ADDRESS, content=body, headers=headers)
        assert answer.status_code == 401
    assert len(await meters.totals(collector.meter)) == 1
