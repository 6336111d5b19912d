"""What devices measure and that they are there, over HTTP (设备遥测与心跳)."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.devices.signed import DeviceCall, SignedCalls
from domains.devices import readings
from domains.devices.service.presence import Sighting, seen
from domains.devices.service.refusals import Way, refuse
from domains.devices.service.telemetry import Measured, take

_WAY: Way = "http"


def routes(signed: SignedCalls) -> list[Route]:
    """Telemetry and heartbeat."""
    handlers = (("telemetry", tell_readings), ("heartbeat", beat))
    return [
        Route(f"/device/v1/{name}", signed.endpoint(handler), methods=["POST"]) for name, handler in handlers
    ]


async def tell_readings(call: DeviceCall) -> Response:
    """How many readings were taken, and why the others were not, by their place in the list."""
    said = readings.read(call.body)
    message = Measured(call.device_id, said.values, call.received_at, _WAY, clock_at=call.signed.created)
    taken = await take([message])
    for code in said.refused.values():
        refuse(call.device_id, _WAY, code)
    codes = {place: taken.refusal_of(call.device_id, each.metric) for place, each in said.placed()}
    refused = said.refused | {place: code for place, code in codes.items() if code}
    return _answer(
        call, taken=list(codes.values()).count(None), clockIsRight=message.clock_is_right,
        refused=[{"index": place, "code": refused[place]} for place in sorted(refused)],
    )  # fmt: skip


async def beat(call: DeviceCall) -> Response:
    """Nothing but our time, by which a device sets its clock; what it sent is not read."""
    await seen([Sighting(call.device_id, call.received_at)])
    return _answer(call)


def _answer(call: DeviceCall, **content: object) -> Response:
    now = round(call.received_at.timestamp() * 1000)
    return JSONResponse({**content, "now": now}, headers={"Cache-Control": "no-store"})
