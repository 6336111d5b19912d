"""What collectors have read of meters, over HTTP (远程抄表)."""

from __future__ import annotations

import orjson
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.devices.signed import DeviceCall, SignedCalls
from domains.billing.service.collected_readings import MOST, take_collected
from domains.kernel.errors import Invalid


def routes(signed: SignedCalls) -> list[Route]:
    """The one route."""
    return [Route("/device/v1/meters/readings", signed.endpoint(tell_readings), methods=["POST"])]


async def tell_readings(call: DeviceCall) -> Response:
    """What became of each reading, in their order; a sequence number comes back with its answer."""
    items = _items(call.body)
    answers = await take_collected(call.device_id, items, call.received_at)
    results = [
        {"result": answer.result, **({"code": answer.code} if answer.code else {}), **_sequence(item)}
        for item, answer in zip(items, answers, strict=True)
    ]
    content = {"results": results, "now": round(call.received_at.timestamp() * 1000)}
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _sequence(item: object) -> dict[str, int]:
    sequence = item.get("sequence") if isinstance(item, dict) else None
    return {"sequence": sequence} if type(sequence) is int else {}


def _items(body: bytes) -> list[object]:
    try:
        items = orjson.loads(body)
    except orjson.JSONDecodeError:
        items = None
    if not isinstance(items, list):
        raise Invalid("PAYLOAD_INVALID", "内容应为 JSON 数组,请按设备接口文档的格式发送")
    if len(items) > MOST:
        raise Invalid("TOO_MANY_METER_READINGS", f"一次最多上报 {MOST} 个读数,请分批发送")
    return items
